import chromiumBinary from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/**
 * A headless Chromium that came with the packages; CHROMIUM_PATH names another. Of the arguments that the package
 * suggests none is taken: they join all pages in one process and switch the same-origin policy off, which the uploads
 * have to get past by themselves. The locale is what every desktop has: without UTF-8 in it Chromium saves a file with any
 * other letter in its name as "download".
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? (await chromiumBinary.executablePath())
  const args = ['--no-sandbox', '--no-zygote', '--disable-gpu']
  return chromium.launch({ executablePath, args, headless: true, env: { ...process.env, LC_ALL: 'C.UTF-8' } })
}

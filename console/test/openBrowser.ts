import chromiumBinary from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/**
 * A headless Chromium that came with the packages; CHROMIUM_PATH names another. Of the arguments that the package
 * suggests none is taken: they join all pages in one process and switch the same-origin policy off, which the uploads
 * have to get past by themselves.
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? (await chromiumBinary.executablePath())
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--no-zygote', '--disable-gpu'], headless: true })
}

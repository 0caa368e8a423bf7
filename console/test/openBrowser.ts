import chromiumBinary from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/** A headless Chromium that came with the packages; CHROMIUM_PATH names another. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? (await chromiumBinary.executablePath())
  return chromium.launch({ executablePath, args: chromiumBinary.args, headless: true })
}

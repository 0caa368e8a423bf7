import './requireNode.mjs'
import { pathToFileURL } from 'node:url'
import { ensureConsoleBuilt, ensureServerBuilt, serverEntry } from './ensureBuilt.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { stopWithParent } from './stopWithParent.mjs'
import { launch } from './workspace.mjs'

// The server runs in this very process: signals reach it without a messenger, and it cannot outlive its launcher.
await launch(async () => {
  stopWithParent()
  await ensureInstalled()
  await ensureServerBuilt()
  await ensureConsoleBuilt()
  process.env['NODE_ENV'] = 'production'
  process.argv = [process.execPath, serverEntry, 'start', ...process.argv.slice(2)]
  await import(pathToFileURL(serverEntry).href)
})

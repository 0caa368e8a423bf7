import './requireNode.mjs'
import { pathToFileURL } from 'node:url'
import { ensureServerBuilt, serverEntry } from './ensureBuilt.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { launch } from './workspace.mjs'

await launch(async () => {
  await ensureInstalled()
  await ensureServerBuilt()
  process.env['NODE_ENV'] = 'production'
  process.argv[1] = serverEntry
  await import(pathToFileURL(serverEntry).href)
})

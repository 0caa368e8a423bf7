import { existsSync, readFileSync } from 'node:fs'

const manifest = new URL('dist/.vite/manifest.json', import.meta.url)
const entry = 'index.html'
const page = 'src/files/FilesPage.tsx'

/**
 * The script that opening the Files page loads, as paths below `console`: the entry, the chunk of the page where it has one
 * of its own, and whatever these import statically. Read from what the last build wrote down, so that no chunk is missed.
 */
export function firstLoadScripts() {
  if (!existsSync(manifest)) throw new Error('The console is not built.')
  const chunks = JSON.parse(readFileSync(manifest, 'utf8'))
  const names = new Set([entry, page].filter((name) => name in chunks))
  if (!names.has(entry)) throw new Error(`The build knows no ${entry}.`)
  // A set hands out what is added while it is walked.
  for (const name of names) for (const imported of chunks[name].imports ?? []) names.add(imported)
  return [...names].map((name) => `dist/${chunks[name].file}`).sort()
}

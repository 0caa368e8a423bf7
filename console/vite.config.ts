import { readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const api = process.env['FILEGRAPH_API'] ?? 'http://localhost:4000'

/**
 * React Aria ships its few hidden texts in 34 languages. The console has English texts only, so every other language is
 * replaced by the English one. An emptied language would make React Aria throw as soon as it is asked for a text in it.
 */
const englishForAll: Plugin = {
  name: 'filegraph:english-for-all',
  enforce: 'pre',
  load: (id) =>
    /react-(aria|stately)[^?]*\/intl\/.*\/(?!en-US)[a-z]{2}-[A-Z]{2}\.m?js$/.test(id)
      ? `export { default } from './en-US${extname(id)}'`
      : null,
}

/**
 * Hashed files never change, so they are compressed once, here, and as well as can be: the server picks one of three.
 * It waits for what was written: Vite still puts the preloading of pages into chunks while a bundle is generated.
 */
const compressed: Plugin = {
  name: 'filegraph:compressed',
  apply: 'build',
  writeBundle({ dir = '' }, bundle) {
    for (const fileName of Object.keys(bundle)) {
      if (!/^assets\/.*\.(js|css|svg)$/.test(fileName)) continue
      const path = join(dir, fileName)
      const bytes = readFileSync(path)
      writeFileSync(`${path}.br`, brotliCompressSync(bytes))
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
    }
  },
}

export default defineConfig({
  // Files name each other relative to themselves, so that the console can lie below any path.
  base: './',
  plugins: [englishForAll, react(), compressed],
  build: {
    // The policy of the page allows no data: fonts or scripts, and hashed files are cached for ever anyway.
    assetsInlineLimit: 0,
    // Says which chunk imports which: what a page loads at first is counted from it.
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        index: fileURLToPath(new URL('index.html', import.meta.url)),
        graphiql: fileURLToPath(new URL('graphiql.html', import.meta.url)),
      },
    },
    chunkSizeWarningLimit: 4000,
  },
  worker: { format: 'es' },
  // The host is passed on as it is, because signed URLs are signed for it.
  server: { proxy: Object.fromEntries(['/graphql', '/session', '/bucket'].map((path) => [path, { target: api }])) },
})

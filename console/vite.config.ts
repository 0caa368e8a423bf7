import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const api = process.env['FILEGRAPH_API'] ?? 'http://localhost:4000'

/** The widgets bring their few hidden words in 34 languages. The console speaks English, so the rest stays behind. */
const englishOnly: Plugin = {
  name: 'filegraph:english-only',
  enforce: 'pre',
  load: (id) =>
    /react-(aria|stately)[^?]*\/intl\/.*\/(?!en-US)[a-z]{2}-[A-Z]{2}\.m?js/.test(id) ? 'export default {}' : null,
}

export default defineConfig({
  plugins: [englishOnly, react()],
  build: {
    // The policy of the page allows no data: fonts or scripts, and hashed files are cached for ever anyway.
    assetsInlineLimit: 0,
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
  server: { proxy: { '/graphql': api, '/session': api } },
})

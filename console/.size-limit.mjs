import { firstLoadScripts } from './firstLoad.mjs'

/** Compressed as the server sends it. GraphiQL has an entry of its own and does not count. */
export default [{ name: 'First load of the Files page', path: firstLoadScripts(), limit: '200 kB', brotli: true }]

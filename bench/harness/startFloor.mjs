import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { product } from './serverPackage.mjs'
import { startProcess } from './startProcess.mjs'

const entry = fileURLToPath(new URL('../floor/serveFloor.mjs', import.meta.url))

/** As many as the product has. */
const poolSize = 10

/** The floor on the database and the bucket of a running product. */
export async function startFloor({ databaseUrl, bucket, url }) {
  const { appRole } = await product('database/roles.js')
  const { localBucketPath } = await product('run/addresses.js')
  // Where clients find it: under a path of the product's own address.
  const shared = { databaseUrl, role: appRole, poolSize, bucket: { ...bucket, endpoint: `${url}${localBucketPath}` } }
  const running = startProcess([entry, JSON.stringify(shared)], {})
  const [told] = await Promise.race([once(running.child, 'message'), once(running.child, 'exit')])
  if (typeof told !== 'object' || told === null) throw new Error(`The floor ended by itself:\n${running.said}`)
  return { url: `http://127.0.0.1:${told.port}`, pid: running.pid, stop: running.stop }
}

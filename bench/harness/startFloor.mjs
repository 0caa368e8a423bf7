import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { product } from './serverPackage.mjs'
import { startProcess } from './startProcess.mjs'

const entry = fileURLToPath(new URL('../floor/serveFloor.mjs', import.meta.url))

/** The floor on the database and the bucket of a running product, with as many connections. */
export async function startFloor({ databaseUrl, folder, secrets }) {
  const { appRole } = await product('database/migrate.js')
  const { localBucketName, localRegion } = await product('addresses.js')
  const { bucketPort } = JSON.parse(readFileSync(join(folder, 'instance.json'), 'utf8'))
  const bucket = {
    endpoint: `http://127.0.0.1:${bucketPort}`,
    bucket: localBucketName,
    region: localRegion,
    accessKeyId: secrets.bucketAccessKeyId,
    secretAccessKey: secrets.bucketSecretAccessKey,
  }
  const running = startProcess([entry, JSON.stringify({ databaseUrl, role: appRole, poolSize: 10, bucket })], {})
  const [told] = await Promise.race([once(running.child, 'message'), once(running.child, 'exit')])
  if (typeof told !== 'object' || told === null) throw new Error(`The floor ended by itself:\n${running.said}`)
  return { url: `http://127.0.0.1:${told.port}`, pid: running.pid, stop: running.stop }
}

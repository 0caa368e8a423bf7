import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { postgres, product } from './serverPackage.mjs'
import { startProcess } from './startProcess.mjs'

const entry = fileURLToPath(new URL('../../server/dist/main.js', import.meta.url))
const readyPatienceMs = 120_000

/**
 * The product as `npm start` runs it: the production build, API and worker in one process, with its own Postgres and its
 * own bucket under `folder`. The demo is left out and the rate limit is off; every other limit holds.
 *
 * `startMs` is the time from the start of the process to the first 200 of `/readyz`.
 */
export async function startProduct(folder, { nodeOptions = [], environment = {} } = {}) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const started = performance.now()
  const running = startProcess([...nodeOptions, entry, 'start'], {
    FILEGRAPH_DATA_DIR: folder,
    PORT: String(port),
    SEED_DEMO: 'false',
    RATE_LIMIT_OPERATIONS_PER_MINUTE: '0',
    ...environment,
  })
  try {
    await untilReady(`${url}/readyz`, running)
    const startMs = performance.now() - started
    const parts = environment.DATABASE_URL ? {} : await partsOf(folder)
    const { pid, child, stop } = running
    return { url, startMs, pid, child, stop, ...parts }
  } catch (error) {
    await running.stop()
    throw error
  }
}

async function untilReady(address, running) {
  for (const end = Date.now() + readyPatienceMs; Date.now() < end; await sleep(5)) {
    if (running.child.exitCode !== null) break
    const answer = await fetch(address).catch(() => null)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
  }
  throw new Error(`The product did not become ready:\n${running.said}`)
}

/** Where its Postgres and its bucket are, and the number of that Postgres' process. */
async function partsOf(folder) {
  const { embeddedUrls } = await product('embedded/postgres/prepareDatabase.js')
  const { localBucketName, localRegion } = await product('run/addresses.js')
  const { postgresPort, bucketPort } = await readWritten(join(folder, 'instance.json'))
  const secrets = await readWritten(join(folder, 'secrets.json'))
  const urls = embeddedUrls(postgresPort, secrets)
  const adminUrl = Object.assign(new URL(urls.superuserUrl), {
    pathname: new URL(urls.url).pathname,
    search: '?search_path=filegraph',
  }).href
  const bucket = {
    endpoint: `http://127.0.0.1:${bucketPort}`,
    bucket: localBucketName,
    region: localRegion,
    accessKeyId: secrets.bucketAccessKeyId,
    secretAccessKey: secrets.bucketSecretAccessKey,
  }
  const postgresPid = await postmasterOf(adminUrl)
  return { databaseUrl: urls.url, urls, adminUrl, postgresPort, bucketPort, bucket, postgresPid }
}

/** The product writes it a moment after the first ready answer. */
async function readWritten(file) {
  for (let left = 200; left > 0 && !existsSync(file); left -= 1) await sleep(25)
  return JSON.parse(readFileSync(file, 'utf8'))
}

async function postmasterOf(adminUrl) {
  const sql = postgres(adminUrl, { max: 1 })
  try {
    const [{ text }] = await sql`select pg_read_file('postmaster.pid') as text`
    return Number(text.split('\n')[0])
  } finally {
    await sql.end()
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

import { readFileSync } from 'node:fs'
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
export async function startProduct(folder, { nodeOptions = [] } = {}) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const started = performance.now()
  const running = startProcess([...nodeOptions, '--enable-source-maps', entry, 'start'], {
    FILEGRAPH_DATA_DIR: folder,
    PORT: String(port),
    SEED_DEMO: 'false',
    RATE_LIMIT_OPERATIONS_PER_MINUTE: '0',
  })
  try {
    await untilReady(`${url}/readyz`, running)
    const startMs = performance.now() - started
    return { url, folder, startMs, pid: running.pid, stop: running.stop, ...(await postgresOf(folder)) }
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

/** Where its Postgres is, and the number of that process. */
async function postgresOf(folder) {
  const { embeddedUrls } = await product('embedded/prepareDatabase.js')
  // Written a moment after the first ready answer.
  for (let left = 200; ; left -= 1) {
    try {
      const { postgresPort } = JSON.parse(readFileSync(join(folder, 'instance.json'), 'utf8'))
      const secrets = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8'))
      const { url, superuserUrl } = embeddedUrls(postgresPort, secrets)
      const adminUrl = Object.assign(new URL(superuserUrl), { pathname: new URL(url).pathname }).href
      return { databaseUrl: url, adminUrl, postgresPid: await postmasterOf(adminUrl), secrets }
    } catch (error) {
      if (left === 0) throw error
      await sleep(25)
    }
  }
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

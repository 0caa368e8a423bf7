import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Environment, Filegraph, runFilegraph } from '../src/cli/testing/filegraph.ts'
import { type LocalBucket, startLocalBucket } from '../src/embedded/bucket/startLocalBucket.ts'
import { freePort } from '../src/embedded/postgres/freePort.ts'
import { type RoundRobinProxy, startRoundRobinProxy } from './roundRobinProxy.ts'
import { createTestDatabase, type TestDatabase } from './testDatabase.ts'

const access = { bucket: 'files', region: 'local', accessKeyId: 'key', secretAccessKey: 'secret' }
const clients = 8

let directory: string
let bucket: LocalBucket
let database: TestDatabase
let proxy: RoundRobinProxy
let ports: number[]
let key: string
const running = new Map<number, Filegraph>()

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'filegraph-rolling-'))
  bucket = await startLocalBucket({ directory: join(directory, 'bucket'), ...access })
  database = await createTestDatabase()
  ports = [await freePort(null), await freePort(null)]
  await run('tenant', 'create', 'acme', '--name', 'Acme')
  key = await run('key', 'create', '--tenant', 'acme', '--name', 'load', '--role', 'MEMBER')
  for (const port of ports) running.set(port, new Filegraph(['api'], environment(port)))
  proxy = await startRoundRobinProxy(ports)
})

afterAll(async () => {
  await proxy.close()
  await Promise.all([...running.values()].map((one) => one.stop('SIGINT')))
  await database.drop()
  await bucket.close()
  rmSync(directory, { recursive: true, force: true })
})

const environment = (port: number): Environment => ({
  PORT: String(port),
  FILEGRAPH_DATA_DIR: join(directory, 'data'),
  DATABASE_URL: database.url,
  DATABASE_MIGRATION_URL: database.superuserUrl,
  S3_ENDPOINT: bucket.endpoint,
  S3_BUCKET: access.bucket,
  S3_REGION: access.region,
  S3_ACCESS_KEY_ID: access.accessKeyId,
  S3_SECRET_ACCESS_KEY: access.secretAccessKey,
  RATE_LIMIT_OPERATIONS_PER_MINUTE: '0',
  SHUTDOWN_DRAIN_SECONDS: '3',
})

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runFilegraph(args, environment(0))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

const list = '{ files(first: 5) { nodes { id name } } }'
const announce = `mutation { createUploadIntent(input: { name: "a.txt", contentType: "text/plain", byteSize: 5 }) {
  ... on CreateUploadIntentSuccess { uploadIntent { id url } } } }`

/** Clients that ask one thing after the other through the proxy, each on one connection, until they are told to stop. */
function startLoad() {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const wrong: string[] = []
  const over = new AbortController()
  let answered = 0
  const loops = Array.from({ length: clients }, async (_, at) => {
    for (let turn = at; !over.signal.aborted; turn += 1) {
      const answer = await send(agent, turn % 4 === 0 ? announce : list).catch((error: Error) => error.message)
      if (/^200 \{"data":\{"\w+":\{/.test(answer)) answered += 1
      else wrong.push(answer)
    }
  })
  return {
    wrong,
    answered: () => answered,
    async stop() {
      over.abort()
      await Promise.all(loops)
      agent.destroy()
    },
  }
}

function send(agent: Agent, query: string): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(`${proxy.url}/graphql`, { method: 'POST', agent, headers }, (answer) => {
      let text = ''
      answer.on('data', (part: Buffer) => (text += part.toString()))
      answer.once('error', reject)
      answer.once('end', () => resolve(`${answer.statusCode} ${text}`))
    })
    sent.once('error', reject)
    sent.end(JSON.stringify({ query }))
  })
}

const up = (port: number) => expect.poll(() => proxy.isUp(port), { timeout: 60_000 }).toBe(true)

it('restarts two processes in turn under load, and no request fails', { timeout: 180_000 }, async () => {
  for (const port of ports) await up(port)
  const load = startLoad()
  for (const port of ports) {
    const [old, before] = [running.get(port), proxy.answersOf(port)]
    await expect.poll(() => proxy.answersOf(port), { timeout: 30_000 }).toBeGreaterThan(before + 20)
    expect(await old?.stop('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
    expect(old?.stdout).toContain('Draining')
    running.set(port, new Filegraph(['api'], environment(port)))
    await up(port)
    const restarted = proxy.answersOf(port)
    await expect.poll(() => proxy.answersOf(port), { timeout: 30_000 }).toBeGreaterThan(restarted + 20)
  }
  await load.stop()
  expect({ wrong: load.wrong, failures: proxy.failures }).toEqual({ wrong: [], failures: [] })
  expect(load.answered()).toBeGreaterThan(100)
})

import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DatabaseUnavailable } from '../src/database/databaseUnavailable.ts'
import { queueDriverOptions, Servers } from '../src/database/servers.ts'
import { openTenantDatabase } from '../src/database/tenantDatabase.ts'
import { openJobPool } from '../src/jobs/jobQueue.ts'
import type { Job } from '../src/jobs/schedule.ts'
import { migrateEverything } from '../src/run/migrateEverything.ts'
import type { Backends } from '../src/run/openBackends.ts'
import { pendingMigrations, readinessOf } from '../src/run/readiness.ts'
import { startWorker } from '../src/run/worker.ts'
import type { BlobStore } from '../src/storage/blobStore.ts'
import { type AddressedProduct, openAddressedProduct, type ServedApi } from './addressedProduct.ts'
import { type ReplicatedPostgres, startReplicatedPostgres } from './replicatedPostgres.ts'

const logger = pino({ level: 'silent' })
let pair: ReplicatedPostgres
let product: AddressedProduct
let api: ServedApi

beforeAll(async () => {
  pair = await startReplicatedPostgres()
  await migrateEverything({ databaseUrl: pair.primary.url, ownerUrl: pair.primary.url }, logger)
  product = await openAddressedProduct({ url: bothHosts(), superuserUrl: bothHosts(), drop: async () => undefined })
  api = await product.serve()
  await pair.catchUp()
}, 180_000)

afterAll(async () => {
  await api.close()
  await product.close()
  await pair.stop()
})

/** The standby first, so that the order alone does not help. */
const bothHosts = () =>
  `postgres://postgres:test@127.0.0.1:${pair.standby.port},127.0.0.1:${pair.primary.port}/filegraph`

interface Answer {
  readonly status: number
  readonly code: string | undefined
}

/** Writes: an upload intent for a small file. */
async function write(name: string): Promise<Answer> {
  const query = `mutation ($name: String!) {
    createUploadIntent(input: { name: $name, contentType: "text/plain", byteSize: 5 }) { __typename }
  }`
  const response = await fetch(`http://127.0.0.1:${api.port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${product.key}` },
    body: JSON.stringify({ query, variables: { name } }),
  })
  const { data, errors } = (await response.json()) as {
    data?: { createUploadIntent?: { __typename: string } }
    errors?: { extensions: { code: string } }[]
  }
  return { status: response.status, code: errors?.[0]?.extensions.code ?? data?.createUploadIntent?.__typename }
}

const ready = async () => (await fetch(`http://127.0.0.1:${api.port}/readyz`)).status

it('a standby is never ready, and refuses writes as unavailable', { timeout: 60_000 }, async () => {
  const url = pair.standby.url
  const database = openTenantDatabase({ url, size: 1, applicationName: 'standby' })
  const blobs = { ping: async () => undefined } as unknown as BlobStore
  try {
    await expect(pendingMigrations(database)).rejects.toThrow(DatabaseUnavailable)
    expect(await readinessOf({ database, blobs })).toMatchObject({ database: false, bucket: true })
  } finally {
    await database.close()
  }
})

it('the job queue gives up a connection to a standby', { timeout: 60_000 }, async () => {
  const pool = openJobPool(queueDriverOptions(new Servers(pair.standby.url)), 1, logger)
  try {
    const processOf = async () => (await pool.query('select pg_backend_pid() as pid')).rows[0]?.pid
    const before: unknown = await processOf()
    expect(await processOf()).toBe(before)
    await expect(pool.query('create table t (x int)')).rejects.toThrow()
    expect(await processOf()).not.toBe(before)
  } finally {
    await pool.end()
  }
})

it(
  'requests and jobs succeed again after the standby was promoted, without a restart',
  { timeout: 120_000 },
  async () => {
    let runs = 0
    const job: Job = { name: 'count', lane: 'SHORT', cadence: null, run: async () => void (runs += 1) }
    const worker = await startWorker({ logger, ownerUrl: bothHosts() } as unknown as Backends, [job])
    // More than one at a time, so that the pool holds several connections.
    const first = await Promise.all(['a', 'b', 'c', 'd'].map((name) => write(`${name}.txt`)))
    expect(new Set(first.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await ready()).toBe(200)
    await pair.catchUp()

    await pair.primary.kill()
    const refused = await write('between.txt')
    expect(refused).toEqual({ status: 503, code: 'SERVICE_UNAVAILABLE' })
    expect(await ready()).toBe(503)

    await pair.promote()
    const promoted = performance.now()
    const answers: Answer[] = []
    while (answers.at(-1)?.status !== 200) {
      expect(performance.now() - promoted).toBeLessThan(60_000)
      answers.push(await write(`after-${answers.length}.txt`))
      await sleep(100)
    }
    await expect.poll(ready, { timeout: 20_000 }).toBe(200)
    const again = await Promise.all(['e', 'f', 'g', 'h'].map((name) => write(`${name}.txt`)))
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]))

    const queue = openJobPool(queueDriverOptions(new Servers(bothHosts())), 1, logger)
    await queue.query("select graphile_worker.add_job('count')")
    await queue.end()
    await expect.poll(() => runs, { timeout: 60_000 }).toBe(1)
    await worker.stop()
  },
)

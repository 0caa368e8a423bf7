import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bucketKeys, postgres, product, typescriptLoader } from '../sweeps/product.mjs'
import { seedTenants } from './seedTenants.mjs'

/**
 * The cost of a minute of the schedule in which nothing is due, for more and more tenants:
 *
 *     npm run bench:idle -- [--tenants 10,2000] [--rounds 5]
 *
 * Runs the jobs that every minute starts, on an embedded Postgres and the local bucket, and counts the statements that the
 * application sends. Ends with exit code 1 if the number of statements differs between the numbers of tenants.
 */
const { values } = parseArgs({
  options: { tenants: { type: 'string', default: '10,2000' }, rounds: { type: 'string', default: '5' } },
})
const sizes = values.tenants
  .split(',')
  .map(Number)
  .toSorted((a, b) => a - b)

const folder = mkdtempSync(join(tmpdir(), 'filegraph-bench-'))
const { startTestPostgres } = await product('embedded/postgres/startTestPostgres.ts')
const { migrate } = await product('database/migrate.ts')
const { openTenantDatabase } = await product('database/tenantDatabase.ts')
const { createS3BlobStore } = await product('storage/s3/s3BlobStore.ts')
const { usualCleanup } = await product('domain/sweeps/runs/settings.ts')
const { schedule } = await product('jobs/schedule.ts')

const server = await startTestPostgres()
const login = 'filegraph_bench'
const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
await sql.unsafe(`create role ${login} login password 'test'`)
await migrate(server.url, { members: [login] })
await sql.unsafe('set search_path = filegraph, public')

const bucket = fork(new URL('../sweeps/serveLocalBucket.mjs', import.meta.url), [folder], {
  execArgv: typescriptLoader,
})
const [{ endpoint }] = await once(bucket, 'message')

const statements = []
const database = openTenantDatabase({
  url: Object.assign(new URL(server.url), { username: login, password: 'test' }).href,
  size: 4,
  applicationName: 'bench',
  onStatement: (text) => statements.push(text),
})
let queued = 0
const job = {
  database,
  blobs: createS3BlobStore({ endpoint, forcePathStyle: true, ...bucketKeys }),
  now: () => new Date(),
  cleanup: { ...usualCleanup, settleMs: 0 },
  logger: { error: console.error, warn: console.warn, info: () => undefined },
  enqueue: async (_name, tenantIds) => {
    queued += tenantIds.length
  },
}
const everyMinute = schedule.filter(({ cadence }) => cadence === '* * * * *')

async function passMinute() {
  statements.length = 0
  const begun = performance.now()
  for (const { run } of everyMinute) await run(job)
  return { count: statements.length, milliseconds: performance.now() - begun }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

async function measure(count) {
  await seedTenants(sql, count)
  // The first minutes mark the bucket and plan the statements.
  for (let minute = 0; minute < 2; minute += 1) await passMinute()
  queued = 0
  const minutes = []
  for (let round = 0; round < Number(values.rounds); round += 1) minutes.push(await passMinute())
  if (queued > 0) throw new Error(`${queued} jobs were queued in minutes in which nothing is due`)
  return {
    tenants: count,
    statements: median(minutes.map((minute) => minute.count)),
    'time (ms)': Number(median(minutes.map(({ milliseconds }) => milliseconds)).toFixed(1)),
  }
}

try {
  const rows = []
  for (const size of sizes) rows.push(await measure(size))
  console.table(rows)
  if (new Set(rows.map((row) => row.statements)).size > 1) {
    console.error('The number of statements depends on the number of tenants.')
    process.exitCode = 1
  }
} finally {
  bucket.disconnect()
  job.blobs.close()
  await database.close()
  await sql.end()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

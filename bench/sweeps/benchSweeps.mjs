import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { tenantOf } from './objects.mjs'
import { postgres, product, typescriptLoader } from './product.mjs'
import { seedRows } from './seedRows.mjs'

/**
 * How fast a reconcile and a purge are, and how much memory a reconcile takes for more and more objects:
 *
 *     npm run bench:sweeps -- [--objects 10000,100000] [--synthetic 10000,1000000] [--purge 5000] [--profile <folder>]
 *
 * `--objects` are files of the local bucket behind its own endpoint; `--synthetic` a made-up listing over HTTP, for
 * numbers that would take a disk too long; 10000x100 is a hundred reconciles of 10,000 objects in one process, which tells
 * what V8's heap takes for the work alone, however few objects there are. Bucket, sweep and Postgres are processes of their own.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000,100000' },
    synthetic: { type: 'string', default: '' },
    purge: { type: 'string', default: '5000' },
    profile: { type: 'string' },
  },
})
const numbersIn = (text) => text.split(',').filter(Boolean).map(Number)

const folder = mkdtempSync(join(tmpdir(), 'filegraph-bench-'))
const { startTestPostgres } = await product('embedded/postgres/startTestPostgres.ts')
const { migrate } = await product('database/migrate.ts')
const server = await startTestPostgres()
const login = 'filegraph_bench'
const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
await sql.unsafe(`create role ${login} login password 'test'`)
await migrate(server.url, { members: [login] })
await sql.unsafe('alter role current_user set search_path = filegraph, public')
await sql.unsafe('set search_path = filegraph, public')
const databaseUrl = Object.assign(new URL(server.url), { username: login, password: 'test' }).href

async function start(module, args, options = []) {
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = fork(new URL(module, import.meta.url), args, { execArgv: [...typescriptLoader, ...options], env })
  const [told] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (typeof told !== 'object') throw new Error(`${module} ended by itself`)
  return { child, told }
}

async function measure(tenantId, endpoint, kind, isWeighed, times = 1) {
  const profiling = values.profile && !isWeighed ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []
  const asked = JSON.stringify({ databaseUrl, endpoint, tenantId, kind, isWeighed, times })
  const { child, told } = await start('measureSweep.mjs', [asked], ['--expose-gc', ...profiling])
  await once(child, 'exit')
  if (told.ended !== null) throw new Error(told.ended)
  return told
}

async function benchReconcile({ name, count, times = 1 }, module, args) {
  const tenantId = tenantOf(name)
  await sql`delete from installation`
  await seedRows(sql, tenantId, count, 'ready')
  const { child, told } = await start(module, args(tenantId, count))
  const { endpoint } = told
  const timed = await measure(tenantId, endpoint, 'RECONCILE', false, times)
  const weighed = await measure(tenantId, endpoint, 'RECONCILE', true, times)
  child.disconnect()
  if (timed.examined !== count || Object.keys(timed.found).length > 0) throw new Error(JSON.stringify(timed))
  return {
    what: `reconcile, ${name}`,
    objects: count * times,
    'objects/s': Math.round((count * times) / timed.seconds),
    'µs CPU/object': Number(((timed.cpuSeconds / count / times) * 1e6).toFixed(1)),
    'peak RSS MiB': Math.round(timed.peakRssMiB),
    'peak heap MiB': Number(weighed.peakHeapMiB.toFixed(1)),
  }
}

async function plant(directory, tenantId, count) {
  const { child } = await start('plantFolder.mjs', [directory, tenantId, String(count)])
  if (child.exitCode === null) await once(child, 'exit')
}

async function benchPurge(count) {
  const tenantId = tenantOf('purge')
  const directory = join(folder, 'purge')
  await sql`delete from installation`
  await seedRows(sql, tenantId, count, 'deleting')
  await plant(directory, tenantId, count)
  const { child, told } = await start('serveLocalBucket.mjs', [directory])
  const { deleted, seconds, cpuSeconds, peakRssMiB } = await measure(tenantId, told.endpoint, 'DELETE_BLOBS', false)
  child.disconnect()
  if (deleted !== count) throw new Error(`${deleted} of ${count} were deleted`)
  return {
    what: 'purge, local bucket',
    objects: count,
    'objects/s': Math.round(count / seconds),
    'µs CPU/object': Number(((cpuSeconds / count) * 1e6).toFixed(1)),
    'peak RSS MiB': Math.round(peakRssMiB),
  }
}

const results = []
try {
  for (const count of numbersIn(values.objects)) {
    const name = `local bucket ${count}`
    const directory = join(folder, String(count))
    await plant(directory, tenantOf(name), count)
    results.push(await benchReconcile({ name, count }, 'serveLocalBucket.mjs', () => [directory]))
  }
  for (const what of values.synthetic.split(',').filter(Boolean)) {
    const [count, times] = what.split('x').map(Number)
    const argsOf = (tenantId) => [tenantId, String(count)]
    results.push(
      await benchReconcile({ name: `made-up listing ${what}`, count, times }, 'serveSyntheticListing.mjs', argsOf),
    )
  }
  for (const count of numbersIn(values.purge)) results.push(await benchPurge(count))
} finally {
  await sql.end()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}
console.table(results)

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ensureServerBuilt } from '../../server/launch/ensureBuilt.mjs'
import { cpuMsOf } from '../harness/processUse.mjs'
import { requestOf } from '../harness/requests.mjs'
import { seedData } from '../harness/seedData.mjs'
import { startProduct } from '../harness/startProduct.mjs'
import { stopProcesses } from '../harness/startProcess.mjs'
import { median, percentile } from '../harness/statistics.mjs'
import { askToReconcile, endOf } from './askToReconcile.mjs'
import { plantObjects } from './plantObjects.mjs'
import { postgres } from './product.mjs'
import { seedRows } from './seedRows.mjs'
import { sendSteadily } from './sendSteadily.mjs'

/**
 * What callers of the API feel of a reconcile: the product as it ships, API, worker and bucket in one process, answers
 * lists of 20 files at a steady pace far below what it could, in turns without and with a reconcile of another tenant.
 *
 *     npm run bench:beside -- [--objects 30000] [--rounds 3] [--rate 100] [--profile <folder>]
 *
 * A round with a sweep lasts as long as the sweep, one without as long as the last one with. Waits and steps are
 * those of the product's event loop: how long it answered nobody, and how much of that it worked itself.
 */
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '30000' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '100' },
    profile: { type: 'string' },
  },
})
const count = Number(values.objects)
const pace = { clients: 4, perSecond: Number(values.rate) }
const firstRoundMs = 15_000
const restMs = 1_000
const folder = mkdtempSync(join(tmpdir(), 'filegraph-bench-'))

/** Two tenants: one whose files are listed, and one that is all bytes and rows. */
async function prepare() {
  const first = await startProduct(folder)
  const [listed, swept] = await seedData(first, { files: 10_000, tenants: 2 })
  const sql = postgres(first.adminUrl, { max: 1, onnotice: () => undefined })
  // Its seeded rows have no bytes, which a reconcile would look into.
  await sql.unsafe(`set session_replication_role = replica; delete from blobs where tenant_id = '${swept.id}'`)
  await seedRows(sql, swept.id, count, 'ready')
  await sql.end()
  const { bucket } = first.bucket
  await first.stop()
  await plantObjects(join(folder, 'bucket'), swept.id, count, bucket)
  return { listed, swept }
}

const inMs = (milliseconds) => milliseconds && Number(milliseconds.toFixed(1))

async function measureRound({ product, listed }, isOver) {
  await eventLoopOf(product)
  const cpuBefore = cpuMsOf(product.pid)
  const begun = performance.now()
  const request = requestOf(listed, 'ListFiles', { first: 20 })
  const latencies = await sendSteadily({ url: product.url, ...request }, { ...pace, isOver })
  const seconds = (performance.now() - begun) / 1_000
  const loop = await eventLoopOf(product)
  return {
    requests: latencies.length,
    seconds: Number(seconds.toFixed(1)),
    'p50 ms': inMs(percentile(latencies, 0.5)),
    'p99 ms': inMs(percentile(latencies, 0.99)),
    'max ms': inMs(latencies.at(-1)),
    'CPU %': Math.round((cpuMsOf(product.pid) - cpuBefore) / seconds / 10),
    'longest wait': inMs(loop.waits.max),
    'p99 step': inMs(loop.steps?.p99),
    'longest step': inMs(loop.steps?.max),
  }
}

async function eventLoopOf({ child }) {
  const told = once(child, 'message')
  child.send('event loop')
  const [delays] = await told
  return delays
}

/** A round with a sweep, which tells how long the next one without has to be. */
async function measureBeside(parts) {
  const run = await askToReconcile(parts)
  let ended = null
  const watching = (async () => {
    while ((ended = await endOf(parts, run)) === null) await sleep(100)
  })()
  const measured = await measureRound(parts, () => ended !== null)
  await watching
  if (ended !== 'DONE') throw new Error(`The reconcile ended as ${ended}`)
  return measured
}

const lasting = (milliseconds) => {
  const end = performance.now() + milliseconds
  return () => performance.now() >= end
}

try {
  await ensureServerBuilt()
  const tenants = await prepare()
  const watch = new URL('watchEventLoop.mjs', import.meta.url).href
  const profiling = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []
  const product = await startProduct(folder, { nodeOptions: ['--import', watch, ...profiling] })
  const sql = postgres(product.adminUrl, { max: 1 })
  const parts = { product, sql, ...tenants }
  await measureRound(parts, lasting(firstRoundMs / 2))
  const rounds = []
  let quietMs = firstRoundMs
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const without = await measureRound(parts, lasting(quietMs))
    await sleep(restMs)
    const beside = await measureBeside(parts)
    quietMs = beside.seconds * 1_000
    rounds.push({ without, beside })
    console.table({ 'without a sweep': without, 'beside a reconcile': beside })
    await sleep(restMs)
  }
  await sql.end()
  const ratios = rounds.map(({ without, beside }) => beside['p99 ms'] / without['p99 ms'])
  console.log(`p99 beside a reconcile is ${median(ratios).toFixed(2)} times that without (wanted: at most 1.5);`)
  console.log(`each round: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`)
} finally {
  await stopProcesses()
  rmSync(folder, { recursive: true, force: true })
}

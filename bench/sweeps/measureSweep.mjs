import { bucketKeys, product } from './product.mjs'

/**
 * Makes one run in a process of its own and tells how it went. With `isWeighed` the heap is collected and weighed at
 * every 5th page, which takes time of its own: speed and memory are measured in two runs. With `times` the same run is made
 * so many times, one after the other, and the last one is told, with the time of all.
 */
const { databaseUrl, endpoint, tenantId, kind, isWeighed, times = 1 } = JSON.parse(process.argv[2])
const { openTenantDatabase } = await product('database/tenantDatabase.ts')
const { createS3BlobStore } = await product('storage/s3/s3BlobStore.ts')
const { usualCleanup } = await product('domain/sweeps/runs/settings.ts')
const { recordRun, usualRun } = await product('domain/sweeps/runs/recordRun.ts')
const { sweepOf } = await product('jobs/sweeps.ts')
const { systemPrincipal } = await product('domain/context.ts')

const database = openTenantDatabase({ url: databaseUrl, size: 4, applicationName: 'bench' })
const blobs = createS3BlobStore({ endpoint, forcePathStyle: true, ...bucketKeys })
const heap = { peak: 0 }
let pages = 0

const weighing = {
  ...blobs,
  list: async (options) => {
    pages += 1
    if (pages % 5 === 0) {
      globalThis.gc()
      heap.peak = Math.max(heap.peak, process.memoryUsage().heapUsed)
    }
    return blobs.list(options)
  },
}

const ctx = {
  principal: systemPrincipal(tenantId),
  origin: { requestId: null, address: null, userAgent: null },
  settings: { ...usualCleanup, brakeObjects: Infinity, listedPerSecond: 10_000_000 },
  database,
  blobs: isWeighed ? weighing : blobs,
  now: () => new Date(),
}
const cpuBefore = process.cpuUsage()
const begun = performance.now()
let outcome
for (let left = times; left > 0; left -= 1) {
  outcome = await recordRun(ctx, kind, { ...usualRun, exceedsBrake: true }, sweepOf(kind).sweep)
}
const { tally, ended } = outcome
const seconds = (performance.now() - begun) / 1_000
const { user, system } = process.cpuUsage(cpuBefore)
const { examined, deleted, found, held } = tally
process.send({
  ended,
  examined,
  deleted,
  found,
  held,
  seconds,
  cpuSeconds: (user + system) / 1e6,
  peakRssMiB: process.resourceUsage().maxRSS / 1024,
  peakHeapMiB: heap.peak / 1024 ** 2,
})
await database.close()
blobs.close()
process.disconnect()

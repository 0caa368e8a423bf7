import { pino } from 'pino'
import { type CleanupSettings, usualCleanup } from '../../src/domain/sweeps/runs/settings.ts'
import { openBackends } from '../../src/run/openBackends.ts'
import { startWorker } from '../../src/run/worker.ts'
import type { BucketOptions } from '../../src/storage/bucketAddress.ts'

export interface WorkerOptions {
  readonly databaseUrl: string
  readonly ownerUrl: string
  readonly bucket: BucketOptions
  readonly cleanup: Partial<CleanupSettings>
}

/** A worker as an operator runs it, with settings that no variable allows. Its log goes to standard output. */
const { cleanup, ...addresses } = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const backends = openBackends({
  ...addresses,
  logger: pino({ level: 'info' }),
  poolSize: 6,
  applicationName: 'worker child',
  cleanup: { ...usualCleanup, ...cleanup },
})
const worker = await startWorker(backends)
process.on('message', () => void worker.stop().then(() => process.exit(0)))
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

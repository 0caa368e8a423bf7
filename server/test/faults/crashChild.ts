import { openTenantDatabase } from '../../src/database/tenantDatabase.ts'
import type { BucketOptions } from '../../src/storage/bucketAddress.ts'
import { createS3BlobStore } from '../../src/storage/s3/s3BlobStore.ts'
import { actions, type Order, type Report } from './crashActions.ts'
import { withDatabaseSteps, withStoreSteps } from './worldSteps.ts'

/** A process that works for its parent, and dies or stops at the step that it is told. */
const { databaseUrl, bucket } = JSON.parse(process.argv[2] ?? '{}') as { databaseUrl: string; bucket: BucketOptions }
const database = openTenantDatabase({ url: databaseUrl, size: 4, applicationName: 'crash' })
const blobs = createS3BlobStore(bucket)

process.on('message', (order: Order) => {
  void work(order).then((report) => process.send?.(report))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

async function work({ action, subject, principal, step, signal }: Order): Promise<Report> {
  const steps: string[] = []
  const onStep = (kind: string) => {
    const name = `${kind} ${steps.filter((one) => one.startsWith(`${kind} `)).length + 1}`
    steps.push(name)
    if (name === step) process.kill(process.pid, signal)
  }
  const ctx = {
    principal,
    origin: { requestId: null, address: null, userAgent: null },
    database: withDatabaseSteps(database, onStep),
    blobs: withStoreSteps(blobs, onStep),
    now: () => new Date(),
  }
  try {
    await actions[action](ctx, subject)
    return { steps, error: null }
  } catch (error) {
    return { steps, error: String(error) }
  }
}

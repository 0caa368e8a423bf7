import type { Logger } from 'pino'
import { openTenantDatabase, type TenantDatabase } from '../database/tenantDatabase.ts'
import type { CleanupSettings } from '../domain/sweeps/runs/settings.ts'
import type { BlobStore } from '../storage/blobStore.ts'
import type { BucketOptions } from '../storage/bucketAddress.ts'
import { createS3BlobStore } from '../storage/s3/s3BlobStore.ts'
import { limits } from '../domain/limits.ts'
import type { Metrics } from './metrics/metrics.ts'
import { type Readiness, readinessOf } from './readiness.ts'

/** The addresses of the database and the bucket, embedded or external. */
export interface Addresses {
  /** The login of the application. Its connections switch to the application's role. */
  readonly databaseUrl: string
  /** A login that can change tables. Migrations use it. */
  readonly ownerUrl: string
  /** The connections of the job queue, whose tables hold no tenant data. Default: `ownerUrl`. */
  readonly directUrl?: string | undefined
  /** The schema of the tables. Default: `filegraph`. */
  readonly schema?: string
  readonly bucket: BucketOptions
}

export interface BackendOptions extends Addresses {
  readonly logger: Logger
  readonly poolSize: number
  /** The `application_name` of the connections. */
  readonly applicationName: string
  readonly cleanup: CleanupSettings
  /** Default: nothing is measured. */
  readonly metrics?: Metrics | null
}

/**
 * The database pool and the bucket client of one process, with the settings that its work needs. Opening them connects to
 * nothing. Postgres and the bucket may be down at that time: later calls connect again.
 */
export interface Backends {
  readonly database: TenantDatabase
  /** Signs URLs with the address by which this machine reaches the bucket. Clients may need another address: see `clientBucket.ts`. */
  readonly blobs: BlobStore
  readonly logger: Logger
  readonly ownerUrl: string
  /** Default: `ownerUrl`. */
  readonly directUrl?: string | undefined
  readonly cleanup: CleanupSettings
  readonly now: () => Date
  readonly metrics: Metrics | null
  readiness(): Promise<Readiness>
  close(): Promise<void>
}

export function openBackends(options: BackendOptions): Backends {
  const { bucket, logger, ownerUrl, directUrl, metrics = null } = options
  const database = openTenantDatabase({
    url: options.databaseUrl,
    size: options.poolSize,
    applicationName: options.applicationName,
    schema: options.schema,
    onAnswer(statement, milliseconds) {
      metrics?.statement(milliseconds)
      // Values are parameters, so the text holds none of them.
      if (milliseconds > limits.slowStatementMs) {
        logger.warn({ milliseconds: Math.round(milliseconds), statement }, 'A statement was slow')
      }
    },
  })
  metrics?.watchPool(() => database.load())
  const store = createS3BlobStore({ ...bucket, publicEndpoint: undefined })
  const blobs = metrics?.measuredStore(store) ?? store
  return {
    database,
    blobs,
    logger,
    ownerUrl,
    directUrl,
    cleanup: options.cleanup,
    now: () => new Date(),
    metrics,
    readiness: () => readinessOf({ database, blobs }),
    async close() {
      blobs.close()
      await database.close()
    },
  }
}

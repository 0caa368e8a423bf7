import type { Logger } from 'pino'
import { openTenantDatabase, type TenantDatabase } from '../database/tenantDatabase.ts'
import type { CleanupSettings } from '../domain/sweeps/runs/settings.ts'
import type { BlobStore } from '../storage/blobStore.ts'
import type { BucketOptions } from '../storage/bucketAddress.ts'
import { createS3BlobStore } from '../storage/s3/s3BlobStore.ts'
import { type Readiness, readinessOf } from './readiness.ts'

/** The addresses of the database and the bucket, embedded or external. */
export interface Addresses {
  /** The login of the application. Its connections switch to the application's role. */
  readonly databaseUrl: string
  /** A login that can change tables. Migrations use it, and so does the job queue, whose tables hold no tenant data. */
  readonly ownerUrl: string
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
  readonly cleanup: CleanupSettings
  readonly now: () => Date
  readiness(): Promise<Readiness>
  close(): Promise<void>
}

export function openBackends(options: BackendOptions): Backends {
  const { bucket, logger, ownerUrl } = options
  const database = openTenantDatabase({
    url: options.databaseUrl,
    size: options.poolSize,
    applicationName: options.applicationName,
    schema: options.schema,
  })
  const blobs = createS3BlobStore({ ...bucket, publicEndpoint: undefined })
  return {
    database,
    blobs,
    logger,
    ownerUrl,
    cleanup: options.cleanup,
    now: () => new Date(),
    readiness: () => readinessOf({ database, blobs }),
    async close() {
      blobs.close()
      await database.close()
    },
  }
}

import type { Logger } from 'pino'
import { openTenantDatabase, type TenantDatabase } from '../database/tenantDatabase.ts'
import type { CleanupSettings } from '../domain/sweeps/runs/settings.ts'
import type { BlobStore } from '../storage/blobStore.ts'
import type { BucketOptions } from '../storage/bucketAddress.ts'
import { createS3BlobStore } from '../storage/s3/s3BlobStore.ts'
import { type Readiness, readinessOf } from './readiness.ts'

/** Where the database and the bucket are, embedded or external. */
export interface Addresses {
  /** The login of the application; its connections take the application's role. */
  readonly databaseUrl: string
  /** A login that may change tables: for migrations and for the job queue, whose tables are not those of tenants. */
  readonly ownerUrl: string
  /** The schema of our tables. Default: `filegraph`. */
  readonly schema?: string
  readonly bucket: BucketOptions
}

export interface ServiceOptions extends Addresses {
  readonly logger: Logger
  readonly poolSize: number
  /** What the database shows as the name of our connections. */
  readonly applicationName: string
  readonly cleanup: CleanupSettings
}

/** What every process shares. Opening it connects to nothing; parts that are away come back without a restart. */
export interface Services {
  readonly database: TenantDatabase
  /** Signs URLs for this machine, which need not be able to reach the bucket in the way of a client. */
  readonly blobs: BlobStore
  readonly logger: Logger
  readonly ownerUrl: string
  readonly cleanup: CleanupSettings
  readonly now: () => Date
  readiness(): Promise<Readiness>
  close(): Promise<void>
}

export function openServices(options: ServiceOptions): Services {
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

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  browserOrigins,
  externalBucket,
  externalDatabase,
  localBucket,
  localBucketName,
  localRegion,
} from './addresses.ts'
import type { Logger } from 'pino'
import type { Closing } from './process/closing.ts'
import type { Config } from './config.ts'
import type { DataDirectory, Instance } from './embedded/dataDirectory.ts'
import { startEmbeddedPostgres } from './embedded/embeddedPostgres.ts'
import { freePort } from './embedded/freePort.ts'
import type { Addresses } from './services.ts'
import { startLocalBucket } from './storage/localBucket/startLocalBucket.ts'

/** Where the database and the bucket are, and which of them run inside this process tree. */
export interface Parts {
  readonly addresses: Addresses
  readonly ports: Pick<Instance, 'postgresPort' | 'bucketPort'>
  /** For people: where the rows and the bytes lie. */
  readonly places: { readonly database: string; readonly files: string }
}

/** Starts the parts that the configuration does not place elsewhere. `closing` learns how to stop them. */
export async function openParts(
  config: Config,
  directory: DataDirectory,
  closing: Closing,
  logger: Logger,
): Promise<Parts> {
  const database = await openDatabase(config, directory, closing)
  const bucket = await openBucket(config, directory, closing, logger)
  return {
    addresses: { ...database.urls, bucket: bucket.options },
    ports: { postgresPort: database.port, bucketPort: bucket.port },
    places: { database: database.place, files: bucket.place },
  }
}

async function openDatabase(config: Config, directory: DataDirectory, closing: Closing) {
  const urls = externalDatabase(config)
  if (urls) return { urls, port: null, place: placeOf(urls.databaseUrl) }
  const logs = join(directory.path, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  const started = await startEmbeddedPostgres({
    folder: join(directory.path, 'postgres'),
    logFile: join(logs, 'postgres.log'),
    secrets: directory.secrets,
    port: directory.lastInstance?.postgresPort ?? null,
  })
  closing.addProcess('postgres', () => started.stop())
  return {
    urls: { databaseUrl: started.url, ownerUrl: started.migrationUrl },
    port: started.port,
    place: `${join(directory.path, 'postgres')} (PostgreSQL on port ${started.port})`,
  }
}

async function openBucket(config: Config, directory: DataDirectory, closing: Closing, logger: Logger) {
  const options = externalBucket(config)
  if (options) return { options, port: null, place: `the bucket ${options.bucket} at ${options.endpoint}` }
  const folder = join(directory.path, 'bucket')
  const started = await startLocalBucket({
    directory: folder,
    bucket: localBucketName,
    region: localRegion,
    accessKeyId: directory.secrets.bucketAccessKeyId,
    secretAccessKey: directory.secrets.bucketSecretAccessKey,
    host: config.http.host,
    port: await freePort(directory.lastInstance?.bucketPort ?? null),
    corsOrigins: browserOrigins(config),
    reportBug: (error) => logger.error({ err: error }, 'The local bucket failed at a request'),
  })
  closing.add('bucket', () => started.close())
  const place = `${folder} (S3 on port ${started.port})`
  return { options: localBucket(config, started.port, directory.secrets), port: started.port, place }
}

/** Without login and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `PostgreSQL at ${host}${pathname}`
}

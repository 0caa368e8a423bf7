import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { readDatabaseAddress } from '../database/databaseAddress.ts'
import type { PublicDoor } from '../embedded/bucket/publicDoor.ts'
import { startLocalBucket } from '../embedded/bucket/startLocalBucket.ts'
import type { DataDirectory, Instance } from '../embedded/folder/dataDirectory.ts'
import { startEmbeddedPostgres } from '../embedded/postgres/embeddedPostgres.ts'
import { freePort } from '../embedded/postgres/freePort.ts'
import {
  browserOrigins,
  externalBucket,
  externalDatabase,
  localBucket,
  localBucketName,
  localBucketPath,
  localRegion,
} from './addresses.ts'
import type { Closing } from './closing.ts'
import type { Addresses } from './openBackends.ts'

/** The addresses of the database and the bucket, and the embedded parts among them. */
export interface Parts {
  readonly addresses: Addresses
  readonly ports: Pick<Instance, 'postgresPort' | 'bucketPort'>
  /** Serves requests of clients to the local bucket, through the API's server. Null if the bucket is external. */
  readonly bucketDoor: PublicDoor | null
  /** The locations of the rows and the bytes, for people. */
  readonly places: { readonly database: string; readonly files: string }
}

/** Starts the parts that the configuration does not place elsewhere, and registers them with `closing`. */
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
    bucketDoor: bucket.door,
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
    urls: { databaseUrl: started.url, ownerUrl: started.migrationUrl, schema: config.databaseSchema },
    port: started.port,
    place: `${join(directory.path, 'postgres')} (PostgreSQL on port ${started.port})`,
  }
}

async function openBucket(config: Config, directory: DataDirectory, closing: Closing, logger: Logger) {
  const options = externalBucket(config)
  if (options) return { options, port: null, door: null, place: `the bucket ${options.bucket} at ${options.endpoint}` }
  const folder = join(directory.path, 'bucket')
  const started = await startLocalBucket({
    directory: folder,
    bucket: localBucketName,
    region: localRegion,
    accessKeyId: directory.secrets.bucketAccessKeyId,
    secretAccessKey: directory.secrets.bucketSecretAccessKey,
    // Always loopback: only our own processes use this port. Clients reach the bucket through the API's server.
    port: await freePort(directory.lastInstance?.bucketPort ?? null),
    corsOrigins: browserOrigins(config),
    reportBug: (error) => logger.error({ err: error }, 'The local bucket failed at a request'),
  })
  closing.add('bucket', () => started.close())
  const door = started.openPublicDoor({ path: localBucketPath, publicUrl: config.http.publicUrl })
  return { options: localBucket(started.port, directory.secrets), port: started.port, door, place: folder }
}

/** Omits the login and the password. */
function placeOf(url: string): string {
  const { hosts, database } = readDatabaseAddress(url)
  return `PostgreSQL at ${hosts.map(({ host, port }) => `${host}:${port}`).join(', ')}, database ${database}`
}

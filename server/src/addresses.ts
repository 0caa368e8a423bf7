import type { Config } from './config.ts'
import type { Instance, Secrets } from './embedded/dataDirectory.ts'
import { embeddedUrls } from './embedded/prepareDatabase.ts'
import type { Addresses } from './services.ts'
import type { BucketOptions } from './storage/bucketOptions.ts'

export const localBucketName = 'filegraph'
export const localRegion = 'local'

/** Where the parts are that others run: the configuration's, or an instance's. Null when one of them runs nowhere. */
export function addressesBeside(config: Config, instance: Instance | null, secrets: Secrets | null): Addresses | null {
  const database = externalDatabase(config) ?? runningDatabase(instance, secrets)
  const bucket = externalBucket(config) ?? runningBucket(config, instance, secrets)
  return database && bucket && { ...database, bucket }
}

/** The origins whose pages may talk to the bucket. */
export function browserOrigins({ http }: Config): string[] {
  const { publicUrl, port, allowedOrigins } = http
  const local = [`http://localhost:${port}`, `http://127.0.0.1:${port}`]
  return [...new Set([new URL(publicUrl).origin, ...local, ...allowedOrigins])]
}

type DatabaseUrls = Omit<Addresses, 'bucket'>

export function externalDatabase({ database }: Config): DatabaseUrls | null {
  return database.kind === 'external' ? { databaseUrl: database.url, ownerUrl: database.migrationUrl } : null
}

export const externalBucket = ({ bucket }: Config): BucketOptions | null => (bucket.kind === 'external' ? bucket : null)

function runningDatabase(instance: Instance | null, secrets: Secrets | null): DatabaseUrls | null {
  if (!secrets || typeof instance?.postgresPort !== 'number') return null
  const { url, migrationUrl } = embeddedUrls(instance.postgresPort, secrets)
  return { databaseUrl: url, ownerUrl: migrationUrl }
}

function runningBucket(config: Config, instance: Instance | null, secrets: Secrets | null): BucketOptions | null {
  return secrets && typeof instance?.bucketPort === 'number' ? localBucket(config, instance.bucketPort, secrets) : null
}

export function localBucket({ http }: Config, port: number, secrets: Secrets): BucketOptions {
  const endpoint = `http://127.0.0.1:${port}`
  const { hostname } = new URL(http.publicUrl)
  return {
    endpoint,
    region: localRegion,
    bucket: localBucketName,
    accessKeyId: secrets.bucketAccessKeyId,
    secretAccessKey: secrets.bucketSecretAccessKey,
    forcePathStyle: true,
    // Whoever reaches the console under another name reaches the bucket under it too.
    publicEndpoint: hostname === 'localhost' ? endpoint : `http://${hostname}:${port}`,
  }
}

import { networkInterfaces } from 'node:os'
import type { Config } from '../config/config.ts'
import type { Instance, Secrets } from '../embedded/folder/dataDirectory.ts'
import { embeddedUrls } from '../embedded/postgres/prepareDatabase.ts'
import type { BucketOptions } from '../storage/bucketAddress.ts'
import type { Addresses } from './openBackends.ts'

export const localBucketName = 'filegraph'
export const localRegion = 'local'
/** The path of the local bucket on the API's server. No page of the console has this prefix. */
export const localBucketPath = '/bucket'

/**
 * The addresses of the database and the bucket: those of the configuration, or those of a running instance. Null if one
 * of them is neither configured nor running.
 */
export function addressesBeside(config: Config, instance: Instance | null, secrets: Secrets | null): Addresses | null {
  const database = externalDatabase(config) ?? runningDatabase(config.databaseSchema, instance, secrets)
  const bucket = externalBucket(config) ?? runningBucket(instance, secrets)
  return database && bucket && { ...database, bucket }
}

/**
 * Origins whose pages may access the bucket. Without a public URL, people can open the console under other names of
 * this machine. A local bucket needs no CORS rule for those, because it shares their origin.
 */
export function browserOrigins({ http }: Config): string[] {
  const { publicUrl, port, allowedOrigins } = http
  const local = [`http://localhost:${port}`, `http://127.0.0.1:${port}`]
  return [...new Set([...(publicUrl === null ? [] : [new URL(publicUrl).origin]), ...local, ...allowedOrigins])]
}

/** The URLs at which other machines of the network reach a server that listens on all addresses. */
export function networkUrls({ host, port, publicUrl }: Config['http']): string[] {
  if (publicUrl !== null || !['0.0.0.0', '::'].includes(host)) return []
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => `http://${address}:${port}`)
}

/** A URL for people on this machine. */
export function shownUrl({ host, port, publicUrl }: Config['http']): string {
  if (publicUrl !== null) return publicUrl
  const isLoopback = ['127.0.0.1', '0.0.0.0', '::'].includes(host)
  return `http://${isLoopback ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}

type DatabaseUrls = Omit<Addresses, 'bucket'>

export function externalDatabase({ database, databaseSchema: schema }: Config): DatabaseUrls | null {
  if (database.kind === 'embedded') return null
  const { url: databaseUrl, migrationUrl: ownerUrl, directUrl } = database
  return { databaseUrl, ownerUrl, directUrl, schema }
}

export const externalBucket = ({ bucket }: Config): BucketOptions | null => (bucket.kind === 'external' ? bucket : null)

function runningDatabase(schema: string, instance: Instance | null, secrets: Secrets | null): DatabaseUrls | null {
  if (!secrets || typeof instance?.postgresPort !== 'number') return null
  const { url, migrationUrl } = embeddedUrls(instance.postgresPort, secrets)
  return { databaseUrl: url, ownerUrl: migrationUrl, schema }
}

function runningBucket(instance: Instance | null, secrets: Secrets | null): BucketOptions | null {
  return secrets && typeof instance?.bucketPort === 'number' ? localBucket(instance.bucketPort, secrets) : null
}

/**
 * The address that our own processes use. URLs for clients are signed for the address by which each client reached the
 * API.
 */
export function localBucket(port: number, secrets: Secrets): BucketOptions {
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: localRegion,
    bucket: localBucketName,
    accessKeyId: secrets.bucketAccessKeyId,
    secretAccessKey: secrets.bucketSecretAccessKey,
    forcePathStyle: true,
  }
}

import { networkInterfaces } from 'node:os'
import type { Config } from '../config/config.ts'
import type { Instance, Secrets } from '../embedded/folder/dataDirectory.ts'
import { embeddedUrls } from '../embedded/postgres/prepareDatabase.ts'
import type { BucketOptions } from '../storage/bucketAddress.ts'
import type { Addresses } from './openBackends.ts'

export const localBucketName = 'filegraph'
export const localRegion = 'local'
/** Where the local bucket lies on the server of the API. No page of the console has a path that begins like this. */
export const localBucketPath = '/bucket'

/** Where the parts are that others run: the configuration's, or an instance's. Null when one of them runs nowhere. */
export function addressesBeside(config: Config, instance: Instance | null, secrets: Secrets | null): Addresses | null {
  const database = externalDatabase(config) ?? runningDatabase(config.databaseSchema, instance, secrets)
  const bucket = externalBucket(config) ?? runningBucket(instance, secrets)
  return database && bucket && { ...database, bucket }
}

/**
 * The origins whose pages may talk to the bucket. Without a public URL, the console can be open under further names of
 * this machine; a local bucket needs no CORS rule for them, because it shares their origin.
 */
export function browserOrigins({ http }: Config): string[] {
  const { publicUrl, port, allowedOrigins } = http
  const local = [`http://localhost:${port}`, `http://127.0.0.1:${port}`]
  return [...new Set([...(publicUrl === null ? [] : [new URL(publicUrl).origin]), ...local, ...allowedOrigins])]
}

/** The URLs under which other machines of the network reach a server that listens on all addresses of this one. */
export function networkUrls({ host, port, publicUrl }: Config['http']): string[] {
  if (publicUrl !== null || !['0.0.0.0', '::'].includes(host)) return []
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => `http://${address}:${port}`)
}

/** A URL for people at this machine. */
export function shownUrl({ host, port, publicUrl }: Config['http']): string {
  if (publicUrl !== null) return publicUrl
  const isLoopback = ['127.0.0.1', '0.0.0.0', '::'].includes(host)
  return `http://${isLoopback ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}

type DatabaseUrls = Omit<Addresses, 'bucket'>

export function externalDatabase({ database, databaseSchema: schema }: Config): DatabaseUrls | null {
  return database.kind === 'external' ? { databaseUrl: database.url, ownerUrl: database.migrationUrl, schema } : null
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

/** As our own processes reach it. What clients are given is signed for the address by which each of them came. */
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

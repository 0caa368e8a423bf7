import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../src/config/config.ts'
import { systemPrincipal } from '../src/domain/context.ts'
import { createApiKey } from '../src/domain/identity/keys/apiKeys.ts'
import { createUser } from '../src/domain/identity/people/createUser.ts'
import { usualCleanup } from '../src/domain/sweeps/runs/settings.ts'
import { createTenant } from '../src/domain/tenants/createTenant.ts'
import { startLocalBucket } from '../src/embedded/bucket/startLocalBucket.ts'
import { freePort } from '../src/embedded/postgres/freePort.ts'
import { createLogger } from '../src/http/createLogger.ts'
import { localBucket, localBucketName, localBucketPath, localRegion } from '../src/run/addresses.ts'
import { type ApiPatience, startApi } from '../src/run/api.ts'
import { localClientBucket } from '../src/run/clientBucket.ts'
import { openBackends } from '../src/run/openBackends.ts'
import { type RawAnswer, sendRaw } from '../src/storage/contract/testing/s3Requests.ts'
import { createTestDatabase, type TestDatabase } from './testDatabase.ts'

export const adaSignIn = { email: 'ada@acme.example', password: 'password of ada' }

/** One API over a database and a local bucket, to be served at various addresses one after the other. */
export interface AddressedProduct {
  /** Where the bucket keeps its objects. */
  readonly folder: string
  /** Every line of the log. */
  readonly lines: string[]
  readonly key: string
  /** Serves the API as `npm start` does under these variables. */
  serve(environment?: Readonly<Record<string, string>>, patience?: ApiPatience): Promise<ServedApi>
  close(): Promise<void>
}

export interface ServedApi {
  readonly port: number
  drain(): void
  close(): Promise<void>
}

/** `owned`: a migrated database to use instead of a new one. */
export async function openAddressedProduct(owned?: Omit<TestDatabase, 'appRole'>): Promise<AddressedProduct> {
  const database = owned ?? (await createTestDatabase())
  const folder = mkdtempSync(join(tmpdir(), 'filegraph-addressed-'))
  const secrets = { bucketAccessKeyId: 'TESTKEY', bucketSecretAccessKey: 'secret-of-the-test-bucket' }
  const lines: string[] = []
  const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } })
  const bucket = await startLocalBucket({
    directory: folder,
    bucket: localBucketName,
    region: localRegion,
    accessKeyId: secrets.bucketAccessKeyId,
    secretAccessKey: secrets.bucketSecretAccessKey,
    corsOrigins: ['https://app.example'],
    reportBug: (error) => logger.error({ err: error }, 'The local bucket failed at a request'),
  })
  const options = localBucket(bucket.port, { ...passwords, ...secrets })
  const backends = openBackends({
    databaseUrl: database.url,
    ownerUrl: database.superuserUrl,
    bucket: options,
    logger,
    poolSize: 5,
    applicationName: 'addresses',
    cleanup: usualCleanup,
  })
  const tenant = await createTenant(backends, { slug: 'acme', name: 'Acme' })
  const origin = { requestId: null, address: null, userAgent: null }
  const ctx = { ...backends, origin, principal: systemPrincipal(tenant.id) }
  const { secret: key } = await createApiKey(ctx, { name: 'test', role: 'OWNER', expiresAt: null })
  await createUser(backends, { ...adaSignIn, tenantSlug: 'acme', name: 'Ada', role: 'OWNER' })
  return {
    folder: join(folder, localBucketName),
    lines,
    key,
    async serve(environment = {}, patience = {}) {
      const config = readConfig({ PORT: String(await freePort(null)), ...environment })
      const { publicUrl, port } = config.http
      const door = bucket.openPublicDoor({ path: localBucketPath, publicUrl })
      const api = await startApi(
        backends,
        config,
        localClientBucket(backends.blobs, { bucket: options, door, publicUrl }),
        patience,
      )
      return { port, drain: () => api.drain(), close: () => api.close() }
    },
    async close() {
      await backends.close()
      await bucket.close()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const passwords = { postgresSuperuserPassword: '', postgresOwnerPassword: '', postgresApiPassword: '' }

/**
 * A client behind a proxy: it asks for public URLs, and its requests reach the server at `address` with the target and the
 * headers that the proxy makes of them.
 */
export interface Route {
  /** Where the server listens: `http://127.0.0.1:4000`. */
  readonly address: string
  readonly targetOf?: (url: URL) => string
  readonly headersOf?: (url: URL) => Readonly<Record<string, string>>
}

export function sendAlong({ address, targetOf, headersOf }: Route) {
  return (url: string, request: Parameters<typeof sendRaw>[1] = {}): Promise<RawAnswer> => {
    const asked = new URL(url)
    const target = targetOf?.(asked) ?? `${asked.pathname}${asked.search}`
    const headers = { host: asked.host, ...request.headers, ...headersOf?.(asked) }
    return sendRaw(`${address}${target}`, { ...request, headers })
  }
}

const upload = `mutation ($input: CreateUploadIntentInput!) {
  createUploadIntent(input: $input) {
    ... on CreateUploadIntentSuccess { uploadIntent { id url headers { name value } } }
    ... on Error { code message }
  }
}`
const commit = `mutation ($id: ID!, $disposition: Disposition!) {
  commitUpload(input: { id: $id }) {
    ... on CommitUploadSuccess { file { id downloadUrl(disposition: $disposition) } }
    ... on Error { code message }
  }
}`

type Send = ReturnType<typeof sendAlong>

// oxlint-disable-next-line typescript/no-explicit-any -- answers are as varied as the operations of the tests
type Data = any

export async function ask(send: Send, base: string, key: string, query: string, variables: object = {}): Promise<Data> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const answer = await send(`${base}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  const { data, errors } = JSON.parse(answer.text) as { data?: Data; errors?: unknown }
  if (!data || errors) throw new Error(`HTTP ${answer.status} ${JSON.stringify(errors)}`)
  return data
}

export interface Announced {
  readonly name?: string
  readonly contentType?: string
  readonly byteSize?: number
}

const usual = { name: 'hello.txt', contentType: 'text/plain', byteSize: 5 }

/** Announces an upload, and answers with the request that sends the bytes. */
export async function intentAt(send: Send, base: string, key: string, announced: Announced = {}) {
  const { createUploadIntent } = await ask(send, base, key, upload, { input: { ...usual, ...announced } })
  const intent = createUploadIntent.uploadIntent
  if (!intent) throw new Error(createUploadIntent.message)
  const { id, url } = intent as { id: string; url: string }
  const headers: Record<string, string> = {}
  for (const { name, value } of intent.headers) headers[name] = value
  return { id, url, headers }
}

/** Uploads five bytes as a client at `base` does, and answers with both signed URLs. */
export async function uploadAt(
  send: Send,
  base: string,
  key: string,
  { disposition = 'ATTACHMENT', ...announced }: Announced & { disposition?: 'INLINE' | 'ATTACHMENT' } = {},
): Promise<{ put: string; get: string }> {
  const { id, url, headers } = await intentAt(send, base, key, announced)
  const put = await send(url, { method: 'PUT', headers: { ...headers, 'content-length': '5' }, body: 'Hello' })
  if (put.status !== 200) throw new Error(`The upload to ${url} was answered with ${put.status}: ${put.text}`)
  const { commitUpload } = await ask(send, base, key, commit, { id, disposition })
  if (!commitUpload.file) throw new Error(commitUpload.message)
  return { put: url, get: commitUpload.file.downloadUrl }
}

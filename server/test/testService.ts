import { createHash, randomUUID } from 'node:crypto'
import pino from 'pino'
import { openTenantDatabase, type TenantDatabase } from '../src/database/tenantDatabase.ts'
import { type Context, type Principal, type Role, systemPrincipal } from '../src/domain/context.ts'
import { addMember } from '../src/domain/identity/people/createUser.ts'
import {
  type CleanupKind,
  type Outcome,
  recordRun,
  type RunOptions,
  usualRun,
} from '../src/domain/sweeps/runs/recordRun.ts'
import { type CleanupSettings, usualCleanup } from '../src/domain/sweeps/runs/settings.ts'
import { createTenant, type TenantPolicy } from '../src/domain/tenants/createTenant.ts'
import { createApollo } from '../src/graphql/engine/createApollo.ts'
import { contextFor } from '../src/graphql/requestContext.ts'
import { sweepOf } from '../src/jobs/sweeps.ts'
import type { BlobStore } from '../src/storage/blobStore.ts'
import { createS3BlobStore } from '../src/storage/s3/s3BlobStore.ts'
import { type StoreProxy, startStoreProxy } from './storeFaults/startStoreProxy.ts'
import { startTestBucket, type TestBucket } from './testBucket.ts'
import { createTestDatabase, type TestDatabase } from './testDatabase.ts'

/** Everything but the web server, with real parts: a separate database, a bucket over HTTP, and a clock to turn. */
export interface TestService {
  readonly testDatabase: TestDatabase
  readonly database: TenantDatabase
  readonly blobs: BlobStore
  /** The bucket, to be taken away and brought back at the same address. */
  readonly bucket: Omit<TestBucket, 'options' | 'close'>
  /** What stands in front of the bucket and can misbehave. Throws unless the service was started behind it. */
  readonly store: StoreProxy
  readonly clock: { offsetMs: number }
  /** How far the bucket's clock is ahead of the application's. */
  readonly storeClock: { offsetMs: number }
  /** The text of every statement since it was last emptied. */
  readonly statements: string[]
  now(): Date
  /** A tenant with a member of each role. */
  createTenant(policy?: Partial<TenantPolicy>): Promise<TestTenant>
  /** Runs an operation as GraphQL does. `null` is an anonymous caller. */
  ask<T = Data>(
    who: Principal | null,
    query: string,
    variables?: Record<string, unknown>,
    operationName?: string,
  ): Promise<Answer<T>>
  contextOf(who: Principal): Context
  /** What the sweeps go by; a test may change it. */
  readonly cleanup: { -readonly [setting in keyof CleanupSettings]: CleanupSettings[setting] }
  /** Makes a run in a tenant as the worker does, and answers with what it did. */
  sweep(tenantId: string, kind: CleanupKind, options?: Partial<RunOptions>): Promise<Outcome>
  close(): Promise<void>
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers are as varied as the operations of the tests
export type Data = any

export interface Answer<T = Data> {
  readonly data: T
  readonly errors?: readonly {
    readonly message: string
    readonly path?: readonly (string | number)[]
    readonly extensions: { readonly code: string }
  }[]
  readonly status: number
}

export interface TestTenant {
  readonly id: string
  readonly slug: string
  readonly viewer: Principal
  readonly member: Principal
  readonly otherMember: Principal
  readonly admin: Principal
  readonly owner: Principal
}

export interface TestServiceOptions {
  /** Puts `store` in front of the bucket, and lets requests fail sooner than usual. */
  readonly behindProxy?: boolean
  /** Where the statements of the product find tables and functions, for tests that put functions of their own first. */
  readonly searchPath?: string
}

/** How long the service behind a proxy waits for an answer about an object, with all attempts. */
export const wholeMilliseconds = 3_000
const impatient = { connectMilliseconds: 1_000, answerMilliseconds: 1_000, attempts: 2, wholeMilliseconds }

export async function startTestService({
  behindProxy = false,
  searchPath,
}: TestServiceOptions = {}): Promise<TestService> {
  const testDatabase = await createTestDatabase()
  const clock = { offsetMs: 0 }
  const now = () => new Date(Date.now() + clock.offsetMs)
  const storeClock = { offsetMs: 0 }
  const storeNow = () => new Date(now().getTime() + storeClock.offsetMs)
  const bucket = await startTestBucket(storeNow)
  const proxy = behindProxy ? await startStoreProxy(bucket.options.endpoint) : null
  const options = { ...bucket.options, endpoint: (proxy ?? bucket.options).endpoint }
  const blobs = proxy ? createS3BlobStore(options, impatient) : createS3BlobStore(options)
  const statements: string[] = []
  const database = openTenantDatabase({
    url: testDatabase.url,
    size: 10,
    applicationName: 'test',
    schema: searchPath,
    onStatement: (text) => {
      refuseBoundState(text)
      statements.push(text)
    },
  })
  const log: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line) => log.push(line) })
  const apollo = createApollo({ introspection: true, logger })
  await apollo.start()

  // A verification reads everything, however recently it was proved and whatever a test does to the clock.
  const cleanup = { ...usualCleanup, verifiedAfterMs: -365 * 86_400_000 }
  const contextOf = (principal: Principal): Context => ({
    principal,
    origin: { requestId: 'test-request', address: '127.0.0.1', userAgent: 'test' },
    database,
    blobs,
    now,
  })

  return {
    testDatabase,
    database,
    blobs,
    get store() {
      if (!proxy) throw new Error('This service was not started behind a proxy')
      return proxy
    },
    bucket,
    clock,
    storeClock,
    statements,
    now,
    contextOf,
    cleanup,
    sweep: (tenantId, kind, asked) => {
      const ctx = { ...contextOf(systemPrincipal(tenantId)), settings: cleanup }
      return recordRun(ctx, kind, { ...usualRun, ...asked }, sweepOf(kind).sweep)
    },
    createTenant: (policy) => createTestTenant(contextOf, policy),
    ask: async (who, query, variables, operationName) => {
      const contextValue = contextFor(who && contextOf(who))
      const { body, http } = await apollo.executeOperation(
        { query, ...(variables && { variables }), ...(operationName && { operationName }) },
        { contextValue },
      )
      if (body.kind !== 'single') throw new Error('Answers come in one piece')
      return JSON.parse(JSON.stringify({ ...body.singleResult, status: http.status ?? 200 })) as Answer<never>
    },
    close: async () => {
      await apollo.stop()
      await database.close()
      blobs.close()
      await proxy?.close()
      await bucket.close()
      await testDatabase.drop()
      refuseSecretsIn(log, [options.secretAccessKey])
    },
  }
}

/** A bound state defeats every partial index: `isState` writes it into the text. */
function refuseBoundState(text: string): void {
  const bound = /\."?(state|status)"? *(=|<>|!=|in|not in) *(any *)?\(?\$\d/i.exec(text)
  if (bound) throw new Error(`The statement binds a state, at ${bound[0]}: ${text}`)
}

/** Whatever a test file did, its log may hold no signature, key, token or password. */
function refuseSecretsIn(log: readonly string[], secrets: readonly string[]): void {
  const leaks = log.filter(
    (line) =>
      /X-Amz-(Signature|Credential)|fgk_|a long password|Bearer /i.test(line) ||
      secrets.some((secret) => line.includes(secret)),
  )
  if (leaks.length > 0) throw new Error(`The log holds secrets:\n${leaks.join('')}`)
}

async function createTestTenant(
  contextOf: (who: Principal) => Context,
  policy: Partial<TenantPolicy> = {},
): Promise<TestTenant> {
  const slug = `t-${randomUUID().slice(0, 8)}`
  const name = `Tenant ${slug}`
  const { id } = await createTenant(contextOf(systemPrincipal('')), { slug, name, policy })
  const member = async (role: Role): Promise<Principal> => {
    const email = `${role.toLowerCase()}-${randomUUID().slice(0, 8)}@${slug}.example`
    const person = { email, name: `${role} of ${slug}`, password: 'a long password', role }
    const { userId } = await addMember(contextOf(systemPrincipal(id)), person)
    return { tenantId: id, id: userId, kind: 'USER', subject: userId, name: person.name, email, role }
  }
  const [viewer, one, other, admin, owner] = await Promise.all(
    (['VIEWER', 'MEMBER', 'MEMBER', 'ADMIN', 'OWNER'] as const).map(member),
  )
  if (!viewer || !one || !other || !admin || !owner) throw new Error('five were asked for')
  return { id, slug, viewer, member: one, otherMember: other, admin, owner }
}

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

const createUploadIntent = `mutation ($input: CreateUploadIntentInput!) {
  createUploadIntent(input: $input) {
    __typename
    ... on CreateUploadIntentSuccess { uploadIntent { id state method url headers { name value } expiresAt file { id } } }
    ... on Error { code message }
    ... on ValidationError { field }
  }
}`

const commitUpload = `mutation ($id: ID!) {
  commitUpload(input: { id: $id }) {
    __typename
    ... on CommitUploadSuccess {
      file { id name contentType byteSize sha256 state version { number } uploadedBy { id name } }
      version { id number name byteSize }
    }
    ... on Error { code message }
  }
}`

export interface TestUpload {
  readonly name?: string
  readonly contentType?: string
  readonly content?: string | Uint8Array
  readonly byteSize?: number
  readonly sha256?: string
  readonly fileId?: string
  readonly idempotencyKey?: string
}

/** Asks for an intent; answers with the member of the union as it came. */
export async function askForIntent(service: TestService, who: Principal, upload: TestUpload = {}): Promise<Data> {
  const { content = 'hello', name = 'hello.txt', contentType = 'text/plain', ...more } = upload
  const byteSize = upload.byteSize ?? Buffer.byteLength(content)
  const { data, errors } = await service.ask(who, createUploadIntent, {
    input: { ...more, name, contentType, byteSize },
  })
  if (errors) throw new Error(JSON.stringify(errors))
  return data.createUploadIntent
}

/** What every client does with an intent, and all it has to know. */
export const sendBytes = (intent: Data, body: string | Uint8Array): Promise<Response> =>
  fetch(intent.url, {
    method: intent.method,
    headers: Object.fromEntries(
      intent.headers.map(({ name, value }: { name: string; value: string }) => [name, value]),
    ),
    body: body as string,
  })

export async function commit(service: TestService, who: Principal, id: string): Promise<Data> {
  const { data, errors } = await service.ask(who, commitUpload, { id })
  if (errors) throw new Error(JSON.stringify(errors))
  return data.commitUpload
}

/** The whole way of one upload; answers with the file. */
export async function uploadFile(service: TestService, who: Principal, upload: TestUpload = {}): Promise<Data> {
  const { uploadIntent } = await askForIntent(service, who, upload)
  const sent = await sendBytes(uploadIntent, upload.content ?? 'hello')
  if (sent.status !== 200) throw new Error(`The bucket answered ${sent.status}: ${await sent.text()}`)
  const committed = await commit(service, who, uploadIntent.id)
  if (committed.__typename !== 'CommitUploadSuccess') throw new Error(JSON.stringify(committed))
  return committed.file
}

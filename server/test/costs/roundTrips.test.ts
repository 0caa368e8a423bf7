import { randomUUID } from 'node:crypto'
import pino from 'pino'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTenantDatabase, type TenantDatabase } from '../../src/database/tenantDatabase.ts'
import type { Context } from '../../src/domain/context.ts'
import { authenticateApiKey } from '../../src/domain/identity/authenticate/apiKey.ts'
import type { KeyUse } from '../../src/domain/identity/authenticate/keyUse.ts'
import { createApiKey } from '../../src/domain/identity/keys/apiKeys.ts'
import { createApollo } from '../../src/graphql/engine/createApollo.ts'
import { contextFor } from '../../src/graphql/requestContext.ts'
import { seedFiles } from '../seedFiles.ts'
import { type Data, sendBytes, sha256, startTestService, type TestService, type TestTenant } from '../testService.ts'
import { startTripCounter, type TripCounter } from './countTrips.ts'

let service: TestService
let tenant: TestTenant
let counter: TripCounter
let database: TenantDatabase
let superuser: postgres.Sql
const statements: string[] = []
const apollo = createApollo({ introspection: false, logger: pino({ level: 'silent' }) })

beforeAll(async () => {
  service = await startTestService({ behindProxy: true })
  tenant = await service.createTenant()
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  counter = await startTripCounter(service.testDatabase.url)
  const onStatement = (text: string) => statements.push(text)
  // One connection, so that no statement is new to it once an operation has been there.
  database = openTenantDatabase({ url: counter.url, size: 1, applicationName: 'test', onStatement })
  await apollo.start()
})

afterAll(async () => {
  await apollo.stop()
  await database.close()
  await counter.close()
  await superuser.end()
  await service.close()
})

interface Costs {
  readonly statements: number
  readonly trips: number
  readonly requests: number
}

async function count<T>(work: () => Promise<T>): Promise<{ answer: T; sent: readonly string[]; costs: Costs }> {
  statements.length = 0
  counter.trips = 0
  const before = service.store.requests.length
  const answer = await work()
  const requests = service.store.requests.length - before
  return { answer, sent: [...statements], costs: { statements: statements.length, trips: counter.trips, requests } }
}

const asMember = (): Context => ({ ...service.contextOf(tenant.member), database })

async function ask(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const contextValue = contextFor(asMember())
  const { body } = await apollo.executeOperation({ query, variables }, { contextValue })
  if (body.kind !== 'single' || body.singleResult.errors) throw new Error(JSON.stringify(body))
  return Object.values(body.singleResult.data ?? {})[0]
}

const intend = (input: Record<string, unknown>) =>
  ask(
    `mutation ($input: CreateUploadIntentInput!) { createUploadIntent(input: $input) {
      ... on CreateUploadIntentSuccess { uploadIntent { id method url headers { name value } } } } }`,
    { input },
  )
const commit = (id: string) =>
  ask(
    `mutation ($id: ID!) { commitUpload(input: { id: $id }) {
      ... on CommitUploadSuccess { file { id name } version { number } } } }`,
    { id },
  )

/** What an upload costs. */
async function countUpload(content: string, input: Record<string, unknown> = {}) {
  const declared = { name: 'a.txt', contentType: 'text/plain', byteSize: content.length, sha256: sha256(content) }
  const intent = await count(() => intend({ ...declared, ...input }))
  const { uploadIntent } = intent.answer
  expect((await sendBytes(uploadIntent, content)).status).toBe(200)
  const commitment = await count(() => commit(uploadIntent.id))
  return { intent, commitment, fileId: commitment.answer.file.id as string }
}

/** What an operation costs once its statements are known to the connection. */
async function countSecond(work: () => Promise<unknown>): Promise<Costs> {
  await work()
  return (await count(work)).costs
}

/** What a statement does, and to which table: `update "files"`. */
const bare = (text: string) =>
  text
    .replace(/(record_changes)\(.*$/s, '$1')
    .replace(/^(?:(select).*? from|(insert into|update)) ("\w+").*$/s, '$1$2 $3')

const recorded = 'select record_changes'

describe('an upload', () => {
  let fileId: string
  const more = () => ({ fileId, idempotencyKey: randomUUID() })
  beforeAll(async () => {
    fileId = (await countUpload('few bytes')).fileId
    await countUpload('more bytes', more())
  })

  it('of a small object takes 3 round trips for the intent, 3 for the commit, and one request to the bucket', async () => {
    const { intent, commitment } = await countUpload('few bytes')
    expect(intent.costs).toEqual({ statements: 9, trips: 3, requests: 0 })
    expect(commitment.costs).toEqual({ statements: 14, trips: 3, requests: 1 })
  })

  it('of a new version, with an idempotency key, takes one more round trip, to find its number', async () => {
    const { intent, commitment } = await countUpload('more bytes', more())
    expect(intent.costs).toEqual({ statements: 11, trips: 3, requests: 0 })
    expect(commitment.costs).toEqual({ statements: 14, trips: 4, requests: 1 })
  })

  it('of a large object takes one more request, for the checksum of the store', async () => {
    const { commitment } = await countUpload('many bytes '.repeat(7_000))
    expect(commitment.costs).toEqual({ statements: 14, trips: 3, requests: 2 })
  })

  it('writes in the lock order of all writers', async () => {
    const { intent, commitment } = await countUpload('more bytes', more())
    expect(intent.sent.map(bare)).toEqual([
      'begin',
      'select set_tenant($1)',
      'select "uploads"',
      'select "tenants"',
      'select "files"',
      'insert into "blobs"',
      'insert into "uploads"',
      'select "uploads"',
      'update "tenant_usage"',
      recorded,
      'commit',
    ])
    expect(commitment.sent.map(bare).slice(4)).toEqual([
      'begin',
      'select set_tenant($1)',
      'update "files"',
      'update "uploads"',
      'update "blobs"',
      'insert into "file_versions"',
      'select "files"',
      'select "file_versions"',
      recorded,
      'commit',
    ])
  })

  it('of an integrator takes at most ten, even if both calls have to read the key', async () => {
    const key = { name: 'key', role: 'MEMBER', expiresAt: null } as const
    const { secret } = await createApiKey(service.contextOf(tenant.owner), key)
    const keyUse = { record: () => undefined } as unknown as KeyUse
    const check = await countSecond(() => authenticateApiKey({ database, now: service.now, keyUse }, secret))
    expect(check).toEqual({ statements: 4, trips: 1, requests: 0 })
    const { intent, commitment } = await countUpload('few bytes')
    expect(2 * check.trips + intent.costs.trips + commitment.costs.trips).toBeLessThanOrEqual(10)
  })
})

it('a list with uploaders, versions and URLs costs the same for 1 file and for 50', async () => {
  tenant = await service.createTenant()
  await seedFiles(superuser, tenant, 60)
  const list = (first: number) =>
    ask(
      `query ($first: Int!) { files(first: $first) {
        nodes { id name downloadUrl uploadedBy { name } version { number } } pageInfo { endCursor } } }`,
      { first },
    )
  await list(1)
  for (const first of [1, 20, 50]) {
    const { answer, costs } = await count(() => list(first))
    expect(answer.nodes).toHaveLength(first)
    expect(costs).toEqual({ statements: 8, trips: 2, requests: 0 })
  }
})

it('an audited download URL and a deletion take the fewest possible round trips', async () => {
  const { fileId } = await countUpload('a file')
  const issue = () =>
    ask(`mutation ($id: ID!) { issueDownloadUrl(input: { id: $id }) { ... on IssueDownloadUrlSuccess { url } } }`, {
      id: fileId,
    })
  expect(await countSecond(issue)).toEqual({ statements: 5, trips: 2, requests: 0 })
  const other = await countUpload('another file')
  const remove = (id: string) =>
    ask(`mutation ($id: ID!) { deleteFile(input: { id: $id }) { ... on DeleteFileSuccess { file { id } } } }`, { id })
  await remove(fileId)
  const { costs } = await count(() => remove(other.fileId))
  expect(costs).toEqual({ statements: 7, trips: 3, requests: 0 })
})

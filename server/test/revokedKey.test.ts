import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../src/config/config.ts'
import { openTenantDatabase } from '../src/database/tenantDatabase.ts'
import { createApiKey } from '../src/domain/identity/keys/apiKeys.ts'
import { usualCleanup } from '../src/domain/sweeps/runs/settings.ts'
import { freePort } from '../src/embedded/postgres/freePort.ts'
import { createLogger } from '../src/http/createLogger.ts'
import { startApi } from '../src/run/api.ts'
import type { Backends } from '../src/run/openBackends.ts'
import { startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

/*
 * A key is read once and then remembered; whether it still stands is asked by every transaction in its name. What is held
 * here is that nobody can tell.
 */
let service: TestService
let tenant: TestTenant
let superuser: postgres.Sql
const log: string[] = []
const statements: string[] = []
const apis: { url: string; close: () => Promise<void> }[] = []

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  await uploadFile(service, tenant.member, { name: 'a.txt' })
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  apis.push(await startProcess(), await startProcess())
})

afterAll(async () => {
  for (const api of apis) await api.close()
  await superuser.end()
  await service.close()
})

/** As another process would: with a pool and a memory of its own. */
async function startProcess() {
  const { url } = service.testDatabase
  const onStatement = (text: string) => void statements.push(text)
  const database = openTenantDatabase({ url, size: 3, applicationName: 'api', onStatement })
  const backends: Backends = {
    database,
    blobs: service.blobs,
    logger: createLogger({ level: 'trace', destination: { write: (line) => void log.push(line) } }),
    ownerUrl: service.testDatabase.superuserUrl,
    cleanup: usualCleanup,
    now: () => new Date(),
    metrics: null,
    readiness: async () => ({ database: true, bucket: true, migrations: true, deletes: 'allowed' }),
    close: () => database.close(),
  }
  const config = readConfig({ PORT: String(await freePort(null)) })
  const api = await startApi(backends, config, {
    blobsFor: () => service.blobs,
    bucketOrigins: [],
    bucketDoor: null,
  })
  return {
    url: `http://127.0.0.1:${config.http.port}`,
    close: async () => {
      await api.close()
      await backends.close()
    },
  }
}

const newKey = (expiresAt: Date | null = null) =>
  createApiKey(service.contextOf(tenant.owner), { name: 'test', role: 'MEMBER', expiresAt })

async function ask(key: string, query: string, at = 0) {
  const answer = await fetch(`${apis[at]?.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query }),
  })
  const { data, errors } = (await answer.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] }
  return { status: answer.status, data, code: errors?.[0]?.extensions.code }
}

const list = '{ files { nodes { name } } }'
const listed = { status: 200, data: { files: { nodes: [{ name: 'a.txt' }] } }, code: undefined }
const refused = { status: 401, data: undefined, code: 'UNAUTHENTICATED' }

describe('a cached key', () => {
  it('is not read again, and is checked by the transaction of the request', async () => {
    const { secret } = await newKey()
    expect(await ask(secret, list)).toEqual(listed)
    await ask(secret, list)
    statements.length = 0
    expect(await ask(secret, list)).toEqual(listed)
    expect(statements.map((text) => /^(select )?[\w."]+( read only)?/.exec(text)?.[0])).toEqual([
      'begin read only',
      'select set_tenant_for_key',
      'select "page"."id"',
      'commit',
    ])
  })

  it.each([
    ['reads', list],
    ['reads what may be missing', '{ file(id: "x") { name } viewer { tenant { name } } }'],
    ['opens no transaction', '{ __typename viewer { principal { name } } }'],
    ['asks for what does not exist', '{ nothing }'],
    ['changes', 'mutation { deleteFile(input: { id: "x" }) { __typename } }'],
  ])('is refused by every process as soon as it is revoked, even if it %s', async (_what, query) => {
    const { apiKey, secret } = await newKey()
    for (const at of [0, 1, 0, 1]) await ask(secret, query, at)
    expect((await ask(secret, list, 1)).status).toBe(200)
    const owner = await newKey()
    await superuser`update api_keys set role = 'OWNER' where id = ${owner.apiKey.id}`
    const id = Buffer.from(`ApiKey:${apiKey.id}`).toString('base64url')
    await ask(owner.secret, `mutation { revokeApiKey(input: { id: "${id}" }) { __typename } }`)
    log.length = 0
    expect(await ask(secret, query, 0)).toEqual(refused)
    expect(await ask(secret, query, 1)).toEqual(refused)
    expect(await ask(secret, query, 1)).toEqual(refused)
    expect(log.filter((line) => line.includes('A request failed'))).toEqual([])
  })

  it('changes nothing once it is revoked', async () => {
    const { id } = await uploadFile(service, tenant.member, { name: 'kept.txt' })
    const { apiKey, secret } = await newKey()
    await ask(secret, list)
    await superuser`update api_keys set revoked_at = now() where id = ${apiKey.id}`
    expect(await ask(secret, `mutation { deleteFile(input: { id: "${id}" }) { __typename } }`)).toEqual(refused)
    const [row] = await superuser`select count(*)::int as live from files
      where tenant_id = ${tenant.id} and original_file_name = 'kept.txt' and soft_deleted_at is null`
    expect(row?.['live']).toBe(1)
    await superuser`update files set soft_deleted_at = now(), soft_deleted_by = uploaded_by where original_file_name = 'kept.txt'`
  })

  it('is refused once after its role was lowered, and then has the new one', async () => {
    const { apiKey, secret } = await newKey()
    const rename = 'mutation { renameFile(input: { id: "x", name: "y" }) { __typename } }'
    expect((await ask(secret, rename)).status).toBe(200)
    await superuser`update api_keys set role = 'VIEWER' where id = ${apiKey.id}`
    expect((await ask(secret, rename)).status).toBe(401)
    expect(await ask(secret, rename)).toMatchObject({ status: 403, code: 'FORBIDDEN' })
    expect(await ask(secret, list)).toEqual(listed)
  })

  it('is refused after its expiry, and with another secret', async () => {
    const { secret } = await newKey(new Date(Date.now() + 1_500))
    expect(await ask(secret, list)).toEqual(listed)
    const forged = `${secret.slice(0, -43)}${'A'.repeat(43)}`
    expect(await ask(forged, list)).toEqual(refused)
    await new Promise((resolve) => setTimeout(resolve, 1_600))
    expect(await ask(secret, list)).toEqual(refused)
  })
})

import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainId } from './faults/plantFile.ts'
import {
  askForIntent,
  commit,
  type Data,
  sendBytes,
  startTestService,
  type TestService,
  type TestTenant,
  uploadFile,
} from './testService.ts'

let service: TestService
let tenant: TestTenant
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  sql = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
})
afterAll(async () => {
  await sql.end()
  await service.close()
})

const query = `query ($id: ID!, $seconds: Int, $how: Disposition) { file(id: $id) {
  quarantinedAt downloadUrl
  version { number downloadUrl }
  versions { nodes { id number name quarantinedAt downloadUrl(expiresInSeconds: $seconds, disposition: $how) } } } }`

const read = async (id: string, variables: Record<string, unknown> = {}): Promise<Data> => {
  const { data, errors } = await service.ask(tenant.viewer, query, { id, ...variables })
  expect(errors).toBeUndefined()
  return data.file
}

const textOf = async (url: string) => (await fetch(url)).text()

async function withTwoVersions(): Promise<Data> {
  const file = await uploadFile(service, tenant.member, { name: 'draft.txt', content: 'the first text' })
  await uploadFile(service, tenant.member, { name: 'final.txt', content: 'the second text', fileId: file.id })
  return file
}

const bytesOf = async (file: Data, version: number) => {
  const [blob] = await sql`select b.object_key as key from blobs b join file_versions v on v.blob_id = b.id
    where v.file_id = ${plainId(file.id)} and v.version = ${version}`
  return String(blob?.['key'])
}

const damage = async (file: Data, version: number) => {
  await service.blobs.delete([await bytesOf(file, version)])
  await service.sweep(tenant.id, 'VERIFY')
}

const issue = async (id: string, version: number | null = null) => {
  const mutation = `mutation ($id: ID!, $version: Int) { issueDownloadUrl(input: { id: $id, version: $version }) {
    __typename ... on IssueDownloadUrlSuccess { url } ... on Error { code message } ... on ConflictError { reason } } }`
  return (await service.ask(tenant.viewer, mutation, { id, version })).data.issueDownloadUrl
}

const lastAudited = async (file: Data) => {
  const [entry] = await sql`select payload from audit_log
    where subject_id = ${plainId(file.id)} and action = 'file.download_url_issued' order by id desc limit 1`
  return entry?.['payload']
}

describe('an old version', () => {
  it('is downloaded under the name of its upload', async () => {
    const file = await withTwoVersions()
    const { versions, downloadUrl, version } = await read(file.id)
    expect(await textOf(downloadUrl)).toBe('the second text')
    expect(await textOf(version.downloadUrl)).toBe('the second text')
    const [second, first] = versions.nodes
    for (const [of, text, name] of [
      [first, 'the first text', 'draft.txt'],
      [second, 'the second text', 'final.txt'],
    ]) {
      const answer = await fetch(of.downloadUrl)
      expect(await answer.text()).toBe(text)
      expect(answer.headers.get('content-disposition')).toContain(`attachment; filename="${name}"`)
    }
    const { data } = await service.ask(
      tenant.viewer,
      'query ($id: ID!) { node(id: $id) { ... on FileVersion { downloadUrl(disposition: INLINE) } } }',
      { id: first.id },
    )
    const answer = await fetch(data.node.downloadUrl)
    expect(answer.headers.get('content-disposition')).toContain('inline; filename="draft.txt"')
    expect(await answer.text()).toBe('the first text')
  })

  it('is issued and recorded, under its own name and number', async () => {
    const file = await withTwoVersions()
    const { url } = await issue(file.id, 1)
    const answer = await fetch(url)
    expect(await answer.text()).toBe('the first text')
    expect(answer.headers.get('content-disposition')).toContain('attachment; filename="draft.txt"')
    expect(await lastAudited(file)).toMatchObject({ version: 1 })
    expect(await textOf((await issue(file.id, 2)).url)).toBe('the second text')
    expect(await lastAudited(file)).toMatchObject({ version: 2 })
    for (const version of [0, -1, 3, 2_147_483_647])
      expect(await issue(file.id, version)).toMatchObject({ code: 'NOT_FOUND', message: 'There is no such version.' })
  })

  it('obeys the lifetimes that the tenant allows, and treats null as the default', async () => {
    const file = await withTwoVersions()
    const [{ downloadUrl }] = (await read(file.id, { seconds: 60, how: null })).versions.nodes
    expect(new URL(downloadUrl).searchParams.get('X-Amz-Expires')).toBe('60')
    const { data, errors } = await service.ask(tenant.viewer, query, { id: file.id, seconds: 86_401 })
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    expect(data.file.versions.nodes[0].downloadUrl).toBeNull()
  })

  it('has no URL while its file is in the trash', async () => {
    const file = await withTwoVersions()
    const mutation = `mutation ($id: ID!) { deleteFile(input: { id: $id }) {
      ... on DeleteFileSuccess { file { downloadUrl version { downloadUrl } versions { nodes { downloadUrl } } } } } }`
    const { data } = await service.ask(tenant.member, mutation, { id: file.id })
    expect(data.deleteFile.file).toEqual({
      downloadUrl: null,
      version: { downloadUrl: null },
      versions: { nodes: [{ downloadUrl: null }, { downloadUrl: null }] },
    })
  })

  it('can be read in the answer of its commit', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member, { content: 'just committed' })
    await sendBytes(uploadIntent, 'just committed')
    await commit(service, tenant.member, uploadIntent.id)
    const mutation = `mutation ($id: ID!) { commitUpload(input: { id: $id }) {
      ... on CommitUploadSuccess { version { downloadUrl } } } }`
    const { data } = await service.ask(tenant.member, mutation, { id: uploadIntent.id })
    expect(await textOf(data.commitUpload.version.downloadUrl)).toBe('just committed')
  })

  it('costs no more statements than the list of versions without URLs', async () => {
    const file = await withTwoVersions()
    const count = async (fields: string) => {
      const before = service.statements.length
      await service.ask(tenant.viewer, `query ($id: ID!) { file(id: $id) { versions { nodes { ${fields} } } } }`, {
        id: file.id,
      })
      return service.statements.length - before
    }
    expect(await count('number downloadUrl')).toBe(await count('number'))
  })
})

describe('bytes in quarantine', () => {
  it('have no URL, and the newest intact version has one', async () => {
    const file = await withTwoVersions()
    await damage(file, 2)
    const found = await read(file.id)
    expect(found).toMatchObject({
      quarantinedAt: expect.any(String),
      downloadUrl: null,
      version: { downloadUrl: null },
    })
    const [second, first] = found.versions.nodes
    expect(second).toMatchObject({ downloadUrl: null, quarantinedAt: expect.any(String) })
    expect(first.quarantinedAt).toBeNull()
    expect(await textOf(first.downloadUrl)).toBe('the first text')
    for (const version of [null, 2]) {
      const refused = await issue(file.id, version)
      expect(refused).toMatchObject({ __typename: 'ConflictError', code: 'CONFLICT', reason: 'QUARANTINED' })
    }
    expect(await textOf((await issue(file.id, 1)).url)).toBe('the first text')
    const listed = await service.ask(tenant.viewer, '{ files(first: 1) { nodes { downloadUrl } } }')
    expect(listed.data.files.nodes).toEqual([{ downloadUrl: null }])
  })

  it('of an old version do not affect the current one', async () => {
    const file = await withTwoVersions()
    await damage(file, 1)
    const { downloadUrl, versions } = await read(file.id)
    expect(await textOf(downloadUrl)).toBe('the second text')
    expect(versions.nodes.map((version: Data) => version.downloadUrl === null)).toEqual([false, true])
    expect((await issue(file.id)).__typename).toBe('IssueDownloadUrlSuccess')
  })

  it('are readable again when they are intact', async () => {
    const file = await uploadFile(service, tenant.member, { content: 'gone for a while' })
    await damage(file, 1)
    expect((await read(file.id)).downloadUrl).toBeNull()
    const audited = async () => {
      const [row] = await sql`select count(*)::int as count from audit_log
        where subject_id = ${plainId(file.id)} and action like '%download%'`
      return row?.['count']
    }
    await issue(file.id)
    expect(await audited()).toBe(0)
    const key = await bytesOf(file, 1)
    await service.blobs.write(key, Buffer.from('gone for a while'), { contentType: 'text/plain' })
    await service.sweep(tenant.id, 'VERIFY')
    expect(await textOf((await read(file.id)).downloadUrl)).toBe('gone for a while')
    expect((await issue(file.id)).__typename).toBe('IssueDownloadUrlSuccess')
    expect(await audited()).toBe(1)
  })
})

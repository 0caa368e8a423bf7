import postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { violationsIn } from '../src/domain/fsck/testing/violationsIn.ts'
import { useLifecycle } from './lifecycleQuestions.ts'
import { askForIntent, commit, type Data, sendBytes, sha256, uploadFile } from './testService.ts'

const scene = useLifecycle()
const { names, change, history, usage } = scene

describe('the lifecycle of a file', () => {
  it('covers upload, list, download under its own name, delete, restore and audit', async () => {
    const name = 'Résumé “final” 你好 100% 🎉.pdf'
    const content = '%PDF-1.4 some bytes'
    const file = await uploadFile(scene.service, scene.tenant.member, {
      name,
      content,
      contentType: 'application/pdf',
      sha256: sha256(content),
    })
    expect(file).toMatchObject({ name, byteSize: 19, state: 'READY', sha256: sha256(content), version: { number: 1 } })
    expect(await names()).toContain(name)

    const { data } = await scene.service.ask(
      scene.tenant.viewer,
      'query ($id: ID!) { file(id: $id) { downloadUrl } }',
      {
        id: file.id,
      },
    )
    const download = await fetch(data.file.downloadUrl)
    expect(await download.text()).toBe(content)
    expect(download.headers.get('content-type')).toBe('application/pdf')
    const [, encoded = ''] = /filename\*=UTF-8''(\S+)$/.exec(download.headers.get('content-disposition') ?? '') ?? []
    expect(decodeURIComponent(encoded)).toBe(name)

    const deleted = await change('deleteFile', { id: file.id })
    expect(deleted.file).toMatchObject({ state: 'TRASHED', deletedBy: { id: expect.any(String) } })
    expect(await names()).not.toContain(name)
    expect(await names('state: TRASHED')).toEqual([name])
    expect(
      (await scene.service.ask(scene.tenant.viewer, 'query ($id: ID!) { file(id: $id) { id } }', { id: file.id })).data
        .file,
    ).toBeNull()

    expect((await change('restoreFile', { id: file.id })).file).toMatchObject({ state: 'READY', deletedAt: null })
    expect((await change('renameFile', { id: file.id, name: 'new.pdf' })).file.name).toBe('new.pdf')
    expect(await history(file.id)).toEqual(['file.renamed', 'file.restored', 'file.soft_deleted', 'file.uploaded'])
  })

  it('answers a repeated delete, restore and rename in the same way, and records each once', async () => {
    const file = await uploadFile(scene.service, scene.tenant.member)
    const once = await change('deleteFile', { id: file.id })
    expect(await change('deleteFile', { id: file.id })).toEqual(once)
    await change('restoreFile', { id: file.id })
    await change('restoreFile', { id: file.id })
    await change('renameFile', { id: file.id, name: 'twice.txt' })
    await change('renameFile', { id: file.id, name: 'twice.txt' })
    expect(await history(file.id)).toEqual(['file.renamed', 'file.restored', 'file.soft_deleted', 'file.uploaded'])
  })

  it('counts stored bytes in the transaction that stores them', async () => {
    const counted = await scene.service.createTenant()
    const file = await uploadFile(scene.service, counted.member, { content: '12345' })
    await uploadFile(scene.service, counted.member, { content: '1234567', fileId: file.id })
    const { uploadIntent } = await askForIntent(scene.service, counted.member, { byteSize: 100 })
    expect(await usage(counted)).toEqual({
      fileCount: 1,
      trashedCount: 0,
      versionCount: 2,
      storedBytes: 12,
      reservedBytes: 100,
    })
    await change('deleteFile', { id: file.id }, counted.member)
    await scene.service.ask(counted.member, 'mutation ($id: ID!) { cancelUpload(input: { id: $id }) { __typename } }', {
      id: uploadIntent.id,
    })
    expect(await usage(counted)).toEqual({
      fileCount: 0,
      trashedCount: 1,
      versionCount: 2,
      storedBytes: 12,
      // Until the purge has deleted what may have come: the address of a cancelled intent still works for some minutes.
      reservedBytes: 100,
    })
  })

  it('stays within its quota, for any sequence of cancelled, refused and purged uploads', async () => {
    const small = await scene.service.createTenant({ quotaBytes: 1_000 })
    const bytesInBucket = async () => {
      const { objects } = await scene.service.blobs.list({ prefix: `org/${small.id}/` })
      return objects.reduce((sum, { byteSize }) => sum + byteSize, 0)
    }
    const ends: ((intent: Data) => Promise<unknown>)[] = [
      ({ id }) =>
        scene.service.ask(small.member, 'mutation ($id: ID!) { cancelUpload(input: { id: $id }) { __typename } }', {
          id,
        }),
      async (intent) => {
        const file = await commit(scene.service, small.member, intent.id)
        await change('deleteFile', { id: file.file.id }, small.member)
        await change('purgeFile', { id: file.file.id }, small.admin)
      },
    ]
    const content = 'x'.repeat(400)
    const outcomes: string[] = []
    for (let round = 0; round < 6; round += 1) {
      const answer = await askForIntent(scene.service, small.member, { content })
      outcomes.push(answer.__typename)
      if (answer.__typename !== 'CreateUploadIntentSuccess') continue
      if (round === 1) await sendBytes(answer.uploadIntent, content)
      await ends[round % 2]?.(answer.uploadIntent)
      // Cancelled, and the address still works.
      await sendBytes(answer.uploadIntent, content)
      expect(await bytesInBucket()).toBeLessThanOrEqual(1_000)
    }
    const [success, refused] = ['CreateUploadIntentSuccess', 'QuotaExceededError']
    expect(outcomes).toEqual([success, success, refused, refused, refused, refused])
    expect(await usage(small)).toMatchObject({ storedBytes: 0, reservedBytes: 800 })
    expect(await violationsIn(scene.service, { tenant: small })).toEqual([])

    const superuser = postgres(scene.service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    await superuser`update blobs set deleting_since = deleting_since - interval '1 hour' where tenant_id = ${small.id}`
    await superuser.end()
    await scene.service.sweep(small.id, 'DELETE_BLOBS')
    expect(await bytesInBucket()).toBe(0)
    expect(await usage(small)).toMatchObject({ storedBytes: 0, reservedBytes: 0 })
    expect(await askForIntent(scene.service, small.member, { content })).toMatchObject({ __typename: success })
    expect(await violationsIn(scene.service, { tenant: small })).toEqual([])
  })

  it('keeps every version, and takes the name, type and size of the newest', async () => {
    const file = await uploadFile(scene.service, scene.tenant.member, { name: 'a.txt', content: 'one' })
    await uploadFile(scene.service, scene.tenant.otherMember, {
      name: 'b.csv',
      contentType: 'text/csv',
      content: 'two,2',
      fileId: file.id,
    })
    const { data } = await scene.service.ask(
      scene.tenant.viewer,
      `query ($id: ID!) { file(id: $id) { name contentType byteSize downloadUrl uploadedBy { id }
        versions { nodes { number name byteSize createdBy { id } } } } }`,
      { id: file.id },
    )
    expect(data.file).toMatchObject({ name: 'b.csv', contentType: 'text/csv', byteSize: 5 })
    expect(data.file.versions.nodes).toMatchObject([
      { number: 2, name: 'b.csv', byteSize: 5 },
      { number: 1, name: 'a.txt', byteSize: 3 },
    ])
    expect(data.file.versions.nodes[0].createdBy.id).not.toBe(data.file.versions.nodes[1].createdBy.id)
    expect(await (await fetch(data.file.downloadUrl)).text()).toBe('two,2')
  })

  it('includes an empty file', async () => {
    expect(await uploadFile(scene.service, scene.tenant.member, { content: '' })).toMatchObject({ byteSize: 0 })
  })

  it('serves a type that a browser would run as an opaque attachment, even if inline is requested', async () => {
    const file = await uploadFile(scene.service, scene.tenant.member, {
      name: 'a.svg',
      contentType: 'image/svg+xml',
      content: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    })
    const query = 'query ($id: ID!) { file(id: $id) { downloadUrl(disposition: INLINE, expiresInSeconds: 60) } }'
    const { data } = await scene.service.ask(scene.tenant.viewer, query, { id: file.id })
    expect(new URL(data.file.downloadUrl).searchParams.get('X-Amz-Expires')).toBe('60')
    const download = await fetch(data.file.downloadUrl)
    expect(download.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(download.headers.get('content-type')).not.toContain('svg')
  })

  it('limits the lifetime of a download URL to the maximum of the tenant', async () => {
    const strict = await scene.service.createTenant({ downloadMaxSeconds: 120 })
    const file = await uploadFile(scene.service, strict.member)
    const field = async (args: string) =>
      scene.service.ask(strict.viewer, `query ($id: ID!) { file(id: $id) { downloadUrl${args} } }`, { id: file.id })
    const issued = async (expiresInSeconds?: number) => {
      const mutation = `mutation ($input: IssueDownloadUrlInput!) { issueDownloadUrl(input: $input) {
        __typename ... on IssueDownloadUrlSuccess { url expiresAt } ... on Error { code } } }`
      return (await scene.service.ask(strict.viewer, mutation, { input: { id: file.id, expiresInSeconds } })).data
        .issueDownloadUrl
    }
    const secondsOf = (url: string) => new URL(url).searchParams.get('X-Amz-Expires')
    // The default of 600 seconds is longer than this scene.tenant allows.
    for (const [args, seconds] of [
      ['', '120'],
      ['(expiresInSeconds: 120)', '120'],
      ['(expiresInSeconds: 1)', '1'],
    ] as const) {
      expect(secondsOf((await field(args)).data.file.downloadUrl)).toBe(seconds)
    }
    expect(secondsOf((await issued()).url)).toBe('120')
    expect(secondsOf((await issued(120)).url)).toBe('120')
    for (const seconds of [121, 600, 0, -1]) {
      const { data, errors } = await field(`(expiresInSeconds: ${seconds})`)
      expect([data?.file?.downloadUrl ?? null, errors?.[0]?.extensions.code]).toEqual([null, 'BAD_USER_INPUT'])
      expect(await issued(seconds)).toMatchObject({ __typename: 'ValidationError', code: 'VALIDATION' })
    }
    const generous = await scene.service.createTenant({ downloadMaxSeconds: 86_400 })
    const other = await uploadFile(scene.service, generous.member)
    const query = 'query ($id: ID!) { file(id: $id) { downloadUrl long: downloadUrl(expiresInSeconds: 86400) } }'
    const { data } = await scene.service.ask(generous.viewer, query, { id: other.id })
    expect([secondsOf(data.file.downloadUrl), secondsOf(data.file.long)]).toEqual(['600', '86400'])
  })

  it('records an issued download URL in the audit log', async () => {
    const file = await uploadFile(scene.service, scene.tenant.member)
    const query = `mutation ($id: ID!) { issueDownloadUrl(input: { id: $id }) { ... on IssueDownloadUrlSuccess { url expiresAt } } }`
    const { data } = await scene.service.ask(scene.tenant.viewer, query, { id: file.id })
    expect(await (await fetch(data.issueDownloadUrl.url)).text()).toBe('hello')
    expect(await history(file.id)).toEqual(['file.download_url_issued', 'file.uploaded'])
    const { data: log } = await scene.service.ask(scene.tenant.admin, '{ auditLog(first: 1) { nodes { payload } } }')
    expect(JSON.stringify(log)).not.toMatch(/X-Amz|http/)
  })
})

describe('a role', () => {
  it.each([
    [
      'VIEWER cannot upload',
      'viewer',
      'mutation { createUploadIntent(input: { name: "a", contentType: "a/b", byteSize: 1 }) { __typename } }',
    ],
    ['VIEWER cannot delete', 'viewer', 'mutation { deleteFile(input: { id: "x" }) { __typename } }'],
    ['MEMBER cannot read the audit log', 'member', '{ auditLog { nodes { id } } }'],
    [
      'ADMIN cannot manage keys',
      'admin',
      'mutation { createApiKey(input: { name: "a", role: VIEWER }) { __typename } }',
    ],
    ['ADMIN cannot list keys', 'admin', '{ apiKeys { nodes { id } } }'],
  ] as const)('has its permissions: %s', async (_name, who, query) => {
    const answer = await scene.service.ask(scene.tenant[who], query)
    expect(answer.errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } })
    expect(answer.status).toBe(403)
  })

  it('is required for everything except introspection', async () => {
    const answer = await scene.service.ask(null, '{ files { nodes { id } } }')
    expect(answer.errors?.[0]).toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } })
    expect(answer.status).toBe(401)
    expect(await scene.service.ask(null, '{ __typename __schema { queryType { name } } }')).toMatchObject({
      status: 200,
    })
  })
})

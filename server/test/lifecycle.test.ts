import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { violationsIn } from '../src/domain/fsck/testing/violationsIn.ts'
import { isCeph } from '../src/storage/contract/testing/isCeph.ts'
import {
  askForIntent,
  commit,
  type Data,
  sendBytes,
  sha256,
  startTestService,
  type TestService,
  type TestTenant,
  uploadFile,
} from './testService.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})

afterAll(() => service.close())

afterEach(() => {
  service.clock.offsetMs = 0
})

const names = async (filter = '') =>
  (await service.ask(tenant.viewer, `{ files(filter: { ${filter} }) { nodes { name } } }`)).data.files.nodes.map(
    (file: Data) => file.name,
  )

const change = async (mutation: string, input: Record<string, unknown>, who = tenant.member) => {
  const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}`
  const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
    __typename ... on ${type}Success { file { id name state deletedAt deletedBy { id } } } ... on Error { code message } } }`
  return (await service.ask(who, query, { input })).data[mutation]
}

const history = async (subjectId: string) =>
  (
    await service.ask(
      tenant.admin,
      'query ($id: ID!) { auditLog(filter: { subjectId: $id }) { nodes { action actor { id } } } }',
      {
        id: subjectId,
      },
    )
  ).data.auditLog.nodes.map((entry: Data) => entry.action)

const usage = async (of = tenant) =>
  (await service.ask(of.viewer, '{ usage { fileCount trashedCount versionCount storedBytes reservedBytes } }')).data
    .usage

describe('the life of a file', () => {
  it('goes up, is listed, comes down under its own name, is deleted, restored and audited', async () => {
    const name = 'Résumé “final” 你好 100% 🎉.pdf'
    const content = '%PDF-1.4 some bytes'
    const file = await uploadFile(service, tenant.member, {
      name,
      content,
      contentType: 'application/pdf',
      sha256: sha256(content),
    })
    expect(file).toMatchObject({ name, byteSize: 19, state: 'READY', sha256: sha256(content), version: { number: 1 } })
    expect(await names()).toContain(name)

    const { data } = await service.ask(tenant.viewer, 'query ($id: ID!) { file(id: $id) { downloadUrl } }', {
      id: file.id,
    })
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
      (await service.ask(tenant.viewer, 'query ($id: ID!) { file(id: $id) { id } }', { id: file.id })).data.file,
    ).toBeNull()

    expect((await change('restoreFile', { id: file.id })).file).toMatchObject({ state: 'READY', deletedAt: null })
    expect((await change('renameFile', { id: file.id, name: 'new.pdf' })).file.name).toBe('new.pdf')
    expect(await history(file.id)).toEqual(['file.renamed', 'file.restored', 'file.soft_deleted', 'file.uploaded'])
  })

  it('answers a repeated delete, restore and rename the same, and records each once', async () => {
    const file = await uploadFile(service, tenant.member)
    const once = await change('deleteFile', { id: file.id })
    expect(await change('deleteFile', { id: file.id })).toEqual(once)
    await change('restoreFile', { id: file.id })
    await change('restoreFile', { id: file.id })
    await change('renameFile', { id: file.id, name: 'twice.txt' })
    await change('renameFile', { id: file.id, name: 'twice.txt' })
    expect(await history(file.id)).toEqual(['file.renamed', 'file.restored', 'file.soft_deleted', 'file.uploaded'])
  })

  it('counts what it stores in the transaction that stores it', async () => {
    const counted = await service.createTenant()
    const file = await uploadFile(service, counted.member, { content: '12345' })
    await uploadFile(service, counted.member, { content: '1234567', fileId: file.id })
    const { uploadIntent } = await askForIntent(service, counted.member, { byteSize: 100 })
    expect(await usage(counted)).toEqual({
      fileCount: 1,
      trashedCount: 0,
      versionCount: 2,
      storedBytes: 12,
      reservedBytes: 100,
    })
    await change('deleteFile', { id: file.id }, counted.member)
    await service.ask(counted.member, 'mutation ($id: ID!) { cancelUpload(input: { id: $id }) { __typename } }', {
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

  it('stores no more than its quota, however often uploads are cancelled, refused or purged', async () => {
    const small = await service.createTenant({ quotaBytes: 1_000 })
    const bytesInBucket = async () => {
      const { objects } = await service.blobs.list({ prefix: `org/${small.id}/` })
      return objects.reduce((sum, { byteSize }) => sum + byteSize, 0)
    }
    const ends: ((intent: Data) => Promise<unknown>)[] = [
      ({ id }) =>
        service.ask(small.member, 'mutation ($id: ID!) { cancelUpload(input: { id: $id }) { __typename } }', { id }),
      async (intent) => {
        const file = await commit(service, small.member, intent.id)
        await change('deleteFile', { id: file.file.id }, small.member)
        await change('purgeFile', { id: file.file.id }, small.admin)
      },
    ]
    const content = 'x'.repeat(400)
    const outcomes: string[] = []
    for (let round = 0; round < 6; round += 1) {
      const answer = await askForIntent(service, small.member, { content })
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
    expect(await violationsIn(service, { tenant: small })).toEqual([])

    const superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    await superuser`update blobs set deleting_since = deleting_since - interval '1 hour' where tenant_id = ${small.id}`
    await superuser.end()
    await service.sweep(small.id, 'DELETE_BLOBS')
    expect(await bytesInBucket()).toBe(0)
    expect(await usage(small)).toMatchObject({ storedBytes: 0, reservedBytes: 0 })
    expect(await askForIntent(service, small.member, { content })).toMatchObject({ __typename: success })
    expect(await violationsIn(service, { tenant: small })).toEqual([])
  })

  it('keeps every version, and takes on the name, type and size of the newest', async () => {
    const file = await uploadFile(service, tenant.member, { name: 'a.txt', content: 'one' })
    await uploadFile(service, tenant.otherMember, {
      name: 'b.csv',
      contentType: 'text/csv',
      content: 'two,2',
      fileId: file.id,
    })
    const { data } = await service.ask(
      tenant.viewer,
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

  it('takes an empty file', async () => {
    expect(await uploadFile(service, tenant.member, { content: '' })).toMatchObject({ byteSize: 0 })
  })

  it('serves what a browser would run as an attachment of no type, also when it is asked to show it', async () => {
    const file = await uploadFile(service, tenant.member, {
      name: 'a.svg',
      contentType: 'image/svg+xml',
      content: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    })
    const query = 'query ($id: ID!) { file(id: $id) { downloadUrl(disposition: INLINE, expiresInSeconds: 60) } }'
    const { data } = await service.ask(tenant.viewer, query, { id: file.id })
    expect(new URL(data.file.downloadUrl).searchParams.get('X-Amz-Expires')).toBe('60')
    const download = await fetch(data.file.downloadUrl)
    expect(download.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(download.headers.get('content-type')).not.toContain('svg')
  })

  it('keeps the lifetime of a download address within the bound of the tenant', async () => {
    const strict = await service.createTenant({ downloadMaxSeconds: 120 })
    const file = await uploadFile(service, strict.member)
    const field = async (args: string) =>
      service.ask(strict.viewer, `query ($id: ID!) { file(id: $id) { downloadUrl${args} } }`, { id: file.id })
    const issued = async (expiresInSeconds?: number) => {
      const mutation = `mutation ($input: IssueDownloadUrlInput!) { issueDownloadUrl(input: $input) {
        __typename ... on IssueDownloadUrlSuccess { url expiresAt } ... on Error { code } } }`
      return (await service.ask(strict.viewer, mutation, { input: { id: file.id, expiresInSeconds } })).data
        .issueDownloadUrl
    }
    const secondsOf = (url: string) => new URL(url).searchParams.get('X-Amz-Expires')
    // The default of 600 seconds is longer than this tenant allows.
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
    const generous = await service.createTenant({ downloadMaxSeconds: 86_400 })
    const other = await uploadFile(service, generous.member)
    const query = 'query ($id: ID!) { file(id: $id) { downloadUrl long: downloadUrl(expiresInSeconds: 86400) } }'
    const { data } = await service.ask(generous.viewer, query, { id: other.id })
    expect([secondsOf(data.file.downloadUrl), secondsOf(data.file.long)]).toEqual(['600', '86400'])
  })

  it('puts a download that was issued on the record', async () => {
    const file = await uploadFile(service, tenant.member)
    const query = `mutation ($id: ID!) { issueDownloadUrl(input: { id: $id }) { ... on IssueDownloadUrlSuccess { url expiresAt } } }`
    const { data } = await service.ask(tenant.viewer, query, { id: file.id })
    expect(await (await fetch(data.issueDownloadUrl.url)).text()).toBe('hello')
    expect(await history(file.id)).toEqual(['file.download_url_issued', 'file.uploaded'])
    const { data: log } = await service.ask(tenant.admin, '{ auditLog(first: 1) { nodes { payload } } }')
    expect(JSON.stringify(log)).not.toMatch(/X-Amz|http/)
  })
})

describe('an upload', () => {
  it('is one version, one audit entry and one event however many commit it at once', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member)
    await sendBytes(uploadIntent, 'hello')
    const answers = await Promise.all(Array.from({ length: 20 }, () => commit(service, tenant.member, uploadIntent.id)))
    expect(new Set(answers.map((answer) => answer.version?.id)).size).toBe(1)
    const { file } = answers[0]
    expect(await history(file.id)).toEqual(['file.uploaded'])
    const { data } = await service.ask(
      tenant.viewer,
      'query ($id: ID!) { file(id: $id) { versions { nodes { number } } } }',
      { id: file.id },
    )
    expect(data.file.versions.nodes).toEqual([{ number: 1 }])
  })

  it('numbers versions without gaps when several are committed to one file at once', async () => {
    const file = await uploadFile(service, tenant.member)
    await Promise.all(Array.from({ length: 8 }, () => uploadFile(service, tenant.member, { fileId: file.id })))
    const query = 'query ($id: ID!) { file(id: $id) { version { number } versions(first: 20) { nodes { number } } } }'
    const { data } = await service.ask(tenant.viewer, query, { id: file.id })
    expect(data.file.version.number).toBe(9)
    expect(data.file.versions.nodes.map((version: Data) => version.number)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1])
  })

  it('cannot be overwritten by the address that made it, also in parallel with the commit', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member, { content: 'first' })
    expect((await sendBytes(uploadIntent, 'first')).status).toBe(200)
    const [again, committed] = await Promise.all([
      sendBytes(uploadIntent, 'other'),
      commit(service, tenant.member, uploadIntent.id),
    ])
    expect(again.status).toBe(412)
    expect((await sendBytes(uploadIntent, 'later')).status).toBe(412)
    const { data } = await service.ask(tenant.viewer, 'query ($id: ID!) { file(id: $id) { downloadUrl } }', {
      id: committed.file.id,
    })
    expect(await (await fetch(data.file.downloadUrl)).text()).toBe('first')
  })

  it('waits for its bytes, and leaves no file before they came', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member, { name: 'not yet.txt' })
    expect(await commit(service, tenant.member, uploadIntent.id)).toMatchObject({
      __typename: 'UploadIncompleteError',
      code: 'UPLOAD_INCOMPLETE',
    })
    expect(await names()).not.toContain('not yet.txt')
    await sendBytes(uploadIntent, 'hello')
    expect(await commit(service, tenant.member, uploadIntent.id)).toMatchObject({ __typename: 'CommitUploadSuccess' })
  })

  it('refuses a body of another size or content, and the bucket keeps nothing of it', async () => {
    const before = await names()
    const { uploadIntent } = await askForIntent(service, tenant.member, { content: 'hello', sha256: sha256('hello') })
    expect((await sendBytes(uploadIntent, 'hell')).status).toBeGreaterThanOrEqual(400)
    expect((await sendBytes(uploadIntent, 'hello!')).status).toBeGreaterThanOrEqual(400)
    const sent = await sendBytes(uploadIntent, 'jello')
    const refused = await commit(service, tenant.member, uploadIntent.id)
    // Ceph takes a body under a checksum that is not its own: then the commit reads the object and hashes it.
    if (isCeph) expect([sent.status, refused.code]).toEqual([200, 'CONTENT_MISMATCH'])
    else expect([sent.status, refused.code]).toEqual([400, 'UPLOAD_INCOMPLETE'])
    expect(await names()).toEqual(before)
  })

  it('refuses content that certainly is of another type for good, and keeps its space until the bytes are deleted', async () => {
    const pdf = '%PDF-1.4\n1 0 obj\n'
    const before = await usage()
    const { uploadIntent } = await askForIntent(service, tenant.member, {
      name: 'a.png',
      contentType: 'image/png',
      content: pdf,
    })
    await sendBytes(uploadIntent, pdf)
    const refused = await commit(service, tenant.member, uploadIntent.id)
    expect(refused).toMatchObject({ __typename: 'ContentMismatchError', code: 'CONTENT_MISMATCH' })
    expect(await commit(service, tenant.member, uploadIntent.id)).toEqual(refused)
    expect(await names()).not.toContain('a.png')
    expect(await usage()).toEqual({ ...before, reservedBytes: before.reservedBytes + pdf.length })
    expect(await history(uploadIntent.id)).toEqual(['upload_intent.refused', 'upload_intent.created'])
  })

  it('cannot be committed after it was cancelled', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member)
    await sendBytes(uploadIntent, 'hello')
    const cancel =
      'mutation ($id: ID!) { cancelUpload(input: { id: $id }) { ... on CancelUploadSuccess { uploadIntent { state url } } ... on Error { code } } }'
    const cancelled = { cancelUpload: { uploadIntent: { state: 'CANCELLED', url: null } } }
    expect((await service.ask(tenant.member, cancel, { id: uploadIntent.id })).data).toEqual(cancelled)
    expect((await service.ask(tenant.member, cancel, { id: uploadIntent.id })).data).toEqual(cancelled)
    expect(await commit(service, tenant.member, uploadIntent.id)).toMatchObject({ code: 'CONFLICT' })
    expect(await history(uploadIntent.id)).toEqual(['upload_intent.cancelled', 'upload_intent.created'])
  })

  it('ends either committed or cancelled when both are tried at once, never both', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { uploadIntent } = await askForIntent(service, tenant.member)
      await sendBytes(uploadIntent, 'hello')
      const cancel = 'mutation ($id: ID!) { cancelUpload(input: { id: $id }) { __typename } }'
      const [committed, cancelled] = await Promise.all([
        commit(service, tenant.member, uploadIntent.id),
        service.ask(tenant.member, cancel, { id: uploadIntent.id }),
      ])
      const outcome = [
        committed.__typename === 'CommitUploadSuccess',
        cancelled.data.cancelUpload.__typename === 'CancelUploadSuccess',
      ]
      expect(outcome.filter(Boolean)).toHaveLength(1)
    }
  })

  it('expires by itself', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member)
    await sendBytes(uploadIntent, 'hello')
    service.clock.offsetMs = 25 * 3600_000
    expect(await commit(service, tenant.member, uploadIntent.id)).toMatchObject({
      code: 'CONFLICT',
      message: 'The upload intent has expired.',
    })
    const { data } = await service.ask(
      tenant.member,
      'query ($id: ID!) { uploadIntent(id: $id) { state url headers { name } } }',
      { id: uploadIntent.id },
    )
    expect(data.uploadIntent).toEqual({ state: 'EXPIRED', url: null, headers: [] })
  })

  it('is listed by the state that it shows, also before the job has come that ends it', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member)
    const query = `{ pending: uploadIntents(filter: { state: PENDING }) { nodes { id } }
      expired: uploadIntents(filter: { state: EXPIRED }) { nodes { id state } } }`
    const listed = async () => {
      const { data } = await service.ask(tenant.member, query)
      const isListed = (list: Data) => list.nodes.some((intent: Data) => intent.id === uploadIntent.id)
      return [isListed(data.pending), isListed(data.expired)]
    }
    expect(await listed()).toEqual([true, false])
    service.clock.offsetMs = 25 * 3600_000
    expect(await listed()).toEqual([false, true])
  })

  it('is the same intent when it is asked for again with one idempotency key, also at once', async () => {
    const ask = () => askForIntent(service, tenant.member, { idempotencyKey: 'once' })
    const answers = await Promise.all(Array.from({ length: 5 }, ask))
    expect(new Set(answers.map((answer) => answer.uploadIntent.id)).size).toBe(1)
    expect(await history(answers[0].uploadIntent.id)).toEqual(['upload_intent.created'])
    expect(await askForIntent(service, tenant.member, { idempotencyKey: 'once', name: 'other' })).toMatchObject({
      code: 'CONFLICT',
    })
    const others = await askForIntent(service, tenant.otherMember, { idempotencyKey: 'once' })
    expect(others.uploadIntent.id).not.toBe(answers[0].uploadIntent.id)
  })

  it('belongs to its maker, and to administrators without the address', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member)
    await sendBytes(uploadIntent, 'hello')
    const query = 'query ($id: ID!) { uploadIntent(id: $id) { state url } }'
    expect((await service.ask(tenant.otherMember, query, { id: uploadIntent.id })).data.uploadIntent).toBeNull()
    expect(await commit(service, tenant.otherMember, uploadIntent.id)).toMatchObject({ code: 'NOT_FOUND' })
    expect((await service.ask(tenant.admin, query, { id: uploadIntent.id })).data.uploadIntent).toEqual({
      state: 'PENDING',
      url: null,
    })
    const committed = await commit(service, tenant.admin, uploadIntent.id)
    expect(committed.file.uploadedBy.name).toBe(tenant.member.name)
  })

  it('does not make a version of a file that went into the trash meanwhile, and does after it was restored', async () => {
    const file = await uploadFile(service, tenant.member)
    const { uploadIntent } = await askForIntent(service, tenant.member, { fileId: file.id })
    await sendBytes(uploadIntent, 'hello')
    await change('deleteFile', { id: file.id })
    expect(await commit(service, tenant.member, uploadIntent.id)).toMatchObject({ code: 'CONFLICT' })
    expect(await askForIntent(service, tenant.member, { fileId: file.id })).toMatchObject({ code: 'NOT_FOUND' })
    await change('restoreFile', { id: file.id })
    expect(await commit(service, tenant.member, uploadIntent.id)).toMatchObject({ version: { number: 2 } })
  })

  it('stays as it was while the bucket is away, and commits when it is back', { timeout: 60_000 }, async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member)
    await sendBytes(uploadIntent, 'hello')
    await service.bucket.stop()
    const query = 'mutation ($id: ID!) { commitUpload(input: { id: $id }) { __typename } }'
    const away = await service.ask(tenant.member, query, { id: uploadIntent.id })
    expect(away.errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE')
    expect(away.status).toBe(503)
    // Signing asks nobody.
    const { data } = await service.ask(tenant.member, 'query ($id: ID!) { uploadIntent(id: $id) { state url } }', {
      id: uploadIntent.id,
    })
    expect(data.uploadIntent).toMatchObject({ state: 'PENDING', url: expect.stringContaining('X-Amz-Signature') })
    await service.bucket.start()
    expect(await commit(service, tenant.member, uploadIntent.id)).toMatchObject({ __typename: 'CommitUploadSuccess' })
  })

  it('is refused beyond the quota, also when several try for the last of it at once', async () => {
    const small = await service.createTenant({ quotaBytes: 100 })
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => askForIntent(service, small.member, { byteSize: 30 })),
    )
    expect(answers.filter((answer) => answer.__typename === 'CreateUploadIntentSuccess')).toHaveLength(3)
    expect(answers.filter((answer) => answer.code === 'QUOTA_EXCEEDED')).toHaveLength(5)
    expect(await usage(small)).toMatchObject({ reservedBytes: 90 })
  })

  it.each([
    [{ name: '' }, 'name'],
    [{ name: 'a\0b' }, 'name'],
    [{ name: '..' }, 'name'],
    [{ contentType: 'nonsense' }, 'contentType'],
    [{ contentType: 'text/plain, text/html' }, 'contentType'],
    [{ byteSize: -1 }, 'byteSize'],
    [{ byteSize: 5 * 1024 ** 3 + 1 }, 'byteSize'],
    [{ sha256: 'abc' }, 'sha256'],
    [{ idempotencyKey: 'a\0' }, 'idempotencyKey'],
  ])('refuses %o with the name of the field', async (upload, field) => {
    const before = await usage()
    expect(await askForIntent(service, tenant.member, upload)).toMatchObject({
      __typename: 'ValidationError',
      code: 'VALIDATION',
      field,
    })
    expect(await usage()).toEqual(before)
  })

  it('refuses what the policy of the tenant does not allow', async () => {
    const strict = await service.createTenant({ maxFileBytes: 10, allowedContentTypes: ['image/', 'application/pdf'] })
    const ask = (upload: object) => askForIntent(service, strict.member, { content: 'x', ...upload })
    expect(await ask({ contentType: 'text/plain' })).toMatchObject({ field: 'contentType' })
    expect(await ask({ contentType: 'application/pdf', byteSize: 11 })).toMatchObject({ field: 'byteSize' })
    for (const contentType of ['IMAGE/png', 'image/x-png', 'application/x-pdf', 'application/acrobat']) {
      expect(await ask({ contentType })).toMatchObject({ __typename: 'CreateUploadIntentSuccess' })
    }
    expect(await ask({ contentType: '', name: 'a.zip' })).toMatchObject({ field: 'contentType' })
  })

  it('takes sizes as whole numbers below 2^53 alone', async () => {
    for (const byteSize of ['9007199254740992', '1.5', 'abc', '1e3']) {
      const query = `mutation { createUploadIntent(input: { name: "a", contentType: "a/b", byteSize: ${JSON.stringify(byteSize)} }) { __typename } }`
      expect((await service.ask(tenant.member, query)).status).toBe(400)
    }
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
  ] as const)('has its bounds: %s', async (_name, who, query) => {
    const answer = await service.ask(tenant[who], query)
    expect(answer.errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } })
    expect(answer.status).toBe(403)
  })

  it('is asked of nobody, who gets nothing but introspection', async () => {
    const answer = await service.ask(null, '{ files { nodes { id } } }')
    expect(answer.errors?.[0]).toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } })
    expect(answer.status).toBe(401)
    expect(await service.ask(null, '{ __typename __schema { queryType { name } } }')).toMatchObject({ status: 200 })
  })
})

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isCeph } from '../../src/storage/contract/testing/isCeph.ts'
import { answerWith, changeAnswer, flipByte, shortenAnswer } from '../storeFaults/faults.ts'
import { isHead, isRead } from '../storeFaults/requests.ts'
import type { Fault, SeenRequest } from '../storeFaults/startStoreProxy.ts'
import { askForIntent, commit, type Data, sendBytes, sha256, type TestTenant, type TestUpload } from '../testService.ts'
import { plainId } from './plantFile.ts'
import { none, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'
import { violationsIn } from './violationsIn.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant

beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
  tenant = await bench.service.createTenant()
})
afterAll(() => bench.close())
afterEach(() => bench.service.store.clear())

const few = 'few bytes of a contract'
/** Too many to be read whole. */
const many = 'many bytes of a contract, '.repeat(4_000)

async function arrived(upload: TestUpload & { content: string }): Promise<Data> {
  const { uploadIntent } = await askForIntent(bench.service, tenant.member, { name: 'contract.txt', ...upload })
  expect((await sendBytes(uploadIntent, upload.content)).status).toBe(200)
  return uploadIntent
}

const blobOf = async (file: Data) => {
  const [row] = await bench.sql`select b.etag, b.sha256, b.object_key as key, b.quarantined_at from blobs b
    join file_versions v on v.blob_id = b.id where v.file_id = ${plainId(file.id)}`
  return row
}

/** The file is as it was sent, and everything that looks at it later agrees. */
async function expectHealthy(committed: Data, content: string, hash: string | null): Promise<void> {
  bench.service.store.clear()
  expect(committed).toMatchObject({
    __typename: 'CommitUploadSuccess',
    file: { byteSize: content.length, sha256: hash },
  })
  const blob = await blobOf(committed.file)
  expect(blob?.['etag']).toBe((await bench.service.blobs.head(blob?.['key']))?.etag)
  expect((await bench.service.sweep(tenant.id, 'VERIFY')).tally.found).not.toHaveProperty('different')
  expect((await bench.reconcile(tenant.id)).tally.found).toEqual(none)
  expect(await bench.quarantinedOf(tenant.id)).toEqual([])
  expect(await violationsIn(bench.service, tenant)).toEqual([])
}

const wrongEtag = () => changeAnswer({ headers: { etag: '"0123456789abcdef0123456789abcdef"' } })
const otherType = () => changeAnswer({ headers: { 'content-type': 'text/html' } })
const encoded = () => changeAnswer({ headers: { 'content-encoding': 'gzip' } })
const empty = () => shortenAnswer(0)

describe('a commit is not decided by one response in which, once,', () => {
  const faults: [string, (seen: SeenRequest) => boolean, () => Fault, readonly string[]][] = [
    ['a byte is flipped', isRead, flipByte, [few, many]],
    ['the object seems to be shorter', isRead, () => shortenAnswer(5), [few]],
    ['the object seems to be empty', isRead, empty, [few]],
    ['the ETag is another one', isRead, wrongEtag, [few, many]],
    ['the type is another one', isRead, otherType, [few, many]],
    ['an encoding appears', isRead, encoded, [few, many]],
    ['a HEAD does not find the object', isHead, () => answerWith(404), [many]],
    ['a HEAD tells another ETag', isHead, wrongEtag, [many]],
    ['a HEAD tells another checksum', isHead, () => changeAnswer({ headers: wrongChecksum }), [many]],
  ]
  const wrongChecksum = { 'x-amz-checksum-sha256': Buffer.alloc(32, 7).toString('base64') }
  const all = faults.flatMap(([what, match, fault, contents]) =>
    contents.flatMap((content) =>
      [true, false].map((isDeclared) => {
        const size = content === few ? 'few' : 'many'
        return [what, size, isDeclared ? 'a' : 'no', isDeclared, content, match, fault] as const
      }),
    ),
  )
  it.each(all)('%s: %s bytes, %s declared checksum', async (_what, _size, _a, isDeclared, content, match, fault) => {
    const intent = await arrived({ content, ...(isDeclared && { sha256: sha256(content) }) })
    bench.service.store.on(match, fault(), 1)
    const committed = await commit(bench.service, tenant.member, intent.id)
    await expectHealthy(committed, content, isDeclared || content === few ? sha256(content) : null)
  })

  it('the first bytes contradict the declared type', async () => {
    const png = '\u0089PNG\r\n\u001a\n'
    const content = Buffer.from(png + '0'.repeat(100_000), 'latin1')
    const upload = { content, byteSize: content.length, name: 'a.png', contentType: 'image/png' }
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, upload)
    expect((await sendBytes(uploadIntent, content)).status).toBe(200)
    const pdf = (body: Buffer) => Buffer.from('%PDF-1.7\n1 0 obj\n'.padEnd(body.length))
    bench.service.store.on(isRead, changeAnswer({ body: pdf }), 1)
    expect((await commit(bench.service, tenant.member, uploadIntent.id)).__typename).toBe('CommitUploadSuccess')
  })

  it('the first bytes prove another type than the declared one', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, { content: many })
    expect((await sendBytes(uploadIntent, many)).status).toBe(200)
    const pdf = (body: Buffer) => Buffer.from('%PDF-1.7\n1 0 obj\n'.padEnd(body.length))
    bench.service.store.on(isRead, changeAnswer({ body: pdf }), 1)
    const { file } = await commit(bench.service, tenant.member, uploadIntent.id)
    expect(file.contentType).toBe('text/plain')
  })
})

describe('a commit uses what two responses agree on', () => {
  it('and records no hash of bytes that contradict their ETag', async () => {
    const intent = await arrived({ content: few })
    bench.service.store.on(isRead, flipByte())
    await expectHealthy(await commit(bench.service, tenant.member, intent.id), few, null)
  })

  it('and refuses bytes that do not match the declaration', async () => {
    for (const [fault, words] of [
      [() => shortenAnswer(5), 'bytes'],
      [encoded, 'content-encoding'],
      [otherType, 'type'],
    ] as const) {
      const intent = await arrived({ content: few })
      bench.service.store.on(isRead, fault())
      const refused = await commit(bench.service, tenant.member, intent.id)
      expect(refused).toMatchObject({ __typename: 'ContentMismatchError', message: expect.stringContaining(words) })
      bench.service.store.clear()
      expect(await commit(bench.service, tenant.member, intent.id)).toEqual(refused)
    }
  })

  it('and changes nothing if a range is shorter than requested', async () => {
    const intent = await arrived({ content: many })
    bench.service.store.on(isRead, shortenAnswer(5), 1)
    const mutation = `mutation { commitUpload(input: { id: "${intent.id}" }) { __typename } }`
    const answer = await bench.service.ask(tenant.member, mutation)
    expect(answer.errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE')
    await expectHealthy(await commit(bench.service, tenant.member, intent.id), many, null)
  })

  it('and changes nothing if they differ', async () => {
    const intent = await arrived({ content: few })
    bench.service.store.on(isRead, shortenAnswer(5), 1)
    bench.service.store.on(isRead, shortenAnswer(6), 1)
    const mutation = `mutation { commitUpload(input: { id: "${intent.id}" }) { __typename } }`
    const answer = await bench.service.ask(tenant.member, mutation)
    expect(answer.errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE')
    await expectHealthy(await commit(bench.service, tenant.member, intent.id), few, sha256(few))
  })
})

describe('a commit checks the stored object', () => {
  const unsigned = (intent: Data, headers: Record<string, string>) => ({
    ...intent,
    headers: [...intent.headers, ...Object.entries(headers).map(([name, value]) => ({ name, value }))],
  })

  it.each([few, many])('an unsigned content-encoding ends the intent', async (content) => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, { content })
    const sent = await sendBytes(unsigned(uploadIntent, { 'content-encoding': 'gzip' }), content)
    expect(sent.status).toBe(200)
    const refused = await commit(bench.service, tenant.member, uploadIntent.id)
    expect(refused).toMatchObject({ code: 'CONTENT_MISMATCH', message: expect.stringContaining('gzip') })
  })

  it('an encoding without effect counts as none', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, { content: few })
    expect((await sendBytes(unsigned(uploadIntent, { 'content-encoding': 'identity' }), few)).status).toBe(200)
    expect((await commit(bench.service, tenant.member, uploadIntent.id)).__typename).toBe('CommitUploadSuccess')
  })

  it('unsigned caching and language headers are accepted, and reach no reader', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, { content: few })
    const labels = {
      'cache-control': 'public, max-age=31536000',
      'content-language': 'de',
      'content-disposition': 'inline',
      expires: 'Wed, 01 Jan 2098 00:00:00 GMT',
    }
    expect((await sendBytes(unsigned(uploadIntent, labels), few)).status).toBe(200)
    const { file } = await commit(bench.service, tenant.member, uploadIntent.id)
    const query = 'query ($id: ID!) { file(id: $id) { downloadUrl } }'
    const { data } = await bench.service.ask(tenant.viewer, query, { id: file.id })
    const { headers } = await fetch(data.file.downloadUrl)
    expect(headers.get('cache-control')).toBe('private, no-store')
    expect(headers.get('content-language')).toBe('und')
    expect(headers.get('content-disposition')).toMatch(/^attachment/)
    expect(new Date(headers.get('expires') ?? '').getTime()).toBe(0)
  })

  it('a stored type other than the declared one ends the intent', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, { content: few })
    const [blob] = await bench.sql`select b.object_key as key from blobs b join uploads u on u.blob_id = b.id
      where u.id = ${plainId(uploadIntent.id)}`
    // The address signs the type: it takes another client of the bucket, or a store that does not compare.
    await bench.service.blobs.write(blob?.['key'], Buffer.from(few), { contentType: 'application/pdf' })
    const refused = await commit(bench.service, tenant.member, uploadIntent.id)
    expect(refused).toMatchObject({ code: 'CONTENT_MISMATCH', message: expect.stringContaining('type') })
  })

  it('unsigned headers of S3 are refused by the store, or change nothing', async () => {
    for (const [name, value] of [
      ['x-amz-meta-note', 'hello'],
      ['x-amz-website-redirect-location', 'https://elsewhere.example/'],
      ['x-amz-tagging', 'a=b'],
    ] as const) {
      const { uploadIntent } = await askForIntent(bench.service, tenant.member, { content: few })
      const { status } = await sendBytes(unsigned(uploadIntent, { [name]: value }), few)
      expect([name, status]).toEqual([name, isCeph ? 200 : 403])
    }
  })
})

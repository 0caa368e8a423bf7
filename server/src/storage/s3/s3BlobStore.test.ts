import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { startLocalBucket } from '../../embedded/bucket/startLocalBucket.ts'
import { BlobStoreUnavailable, type BlobStore } from '../blobStore.ts'
import type { BucketOptions } from '../bucketAddress.ts'
import { describeBlobStore } from '../contract/blobStore.contract.ts'
import { account, closeAfterTest, impatience, storeAnswering } from '../contract/testing/answeringStore.ts'
import { createS3BlobStore } from './s3BlobStore.ts'

async function startBucket(): Promise<{ options: BucketOptions; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'filegraph-bucket-'))
  const bucket = await startLocalBucket({ directory, ...account, corsOrigins: [] })
  return {
    options: { ...account, endpoint: bucket.endpoint, forcePathStyle: true },
    async close() {
      await bucket.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const answeringXml = (body: string) =>
  storeAnswering((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${body}`)
  })

const questions: Readonly<Record<string, (store: BlobStore) => Promise<unknown>>> = {
  head: (store) => store.head('a'),
  examine: (store) => store.examine('a', { byteSize: 3, startBytes: 10 }),
  examineLarge: (store) => store.examine('a', { byteSize: 100_000, startBytes: 10 }),
  readStart: (store) => store.readStart('a', 10),
  hash: (store) => store.hash('a'),
  delete: (store) => store.delete(['a']),
  list: (store) => store.list({ prefix: '' }),
  ping: (store) => store.ping(),
  write: (store) => store.write('a', new Uint8Array(3), { contentType: 'text/plain' }),
  create: (store) => store.write('a', new Uint8Array(3), { contentType: 'text/plain', onlyIf: 'ABSENT' }),
  listUnfinishedUploads: (store) => store.listUnfinishedUploads(''),
  abortUpload: (store) => store.abortUpload('a', 'an-upload'),
}
const noAnswer: unknown = expect.any(BlobStoreUnavailable)
const outcomeOf = (work: Promise<unknown>) => work.catch((reason: unknown) => reason)
async function expectNoAnswer(store: BlobStore): Promise<void> {
  const answers = await Promise.allSettled(Object.values(questions).map((question) => question(store)))
  const reasons = answers.map((answer) => (answer.status === 'rejected' ? answer.reason : answer.value))
  for (const reason of reasons) expect(reason).toBeInstanceOf(BlobStoreUnavailable)
}

describeBlobStore('the local bucket', async () => {
  const bucket = await startBucket()
  const store = createS3BlobStore(bucket.options)
  return {
    store,
    async close() {
      store.close()
      await bucket.close()
    },
  }
})

describe('a bucket that gives no usable answer', () => {
  it('is unavailable when nothing listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const store = createS3BlobStore(
      { ...account, endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true },
      impatience,
    )
    await expectNoAnswer(store)
    store.close()
  })

  it('is unavailable when it answers 503', async () => {
    await expectNoAnswer(await storeAnswering((_request, response) => response.writeHead(503).end()))
  })

  it('is unavailable when it never answers, and the caller is not kept waiting', async () => {
    const store = await storeAnswering(() => {})
    const start = performance.now()
    await expectNoAnswer(store)
    expect(performance.now() - start).toBeLessThan(5_000)
  })

  it('is unavailable when its response trickles and keeps the connection busy', async () => {
    const store = await storeAnswering((request) => {
      const drip = setInterval(() => request.socket.write('H'), 20)
      request.socket.on('close', () => clearInterval(drip))
      request.socket.write('HTTP/1.1 200 OK\r\nx: ')
    })
    await expect(store.ping()).rejects.toBeInstanceOf(BlobStoreUnavailable)
  })

  it('is unavailable when a body comes byte by byte', async () => {
    const store = await storeAnswering((_request, response) => {
      response.writeHead(200, { 'content-length': 100, etag: '"a"' })
      const drip = setInterval(() => response.write('a'), 120)
      response.on('close', () => clearInterval(drip))
    })
    const start = performance.now()
    const { examine, readStart, hash } = questions
    for (const question of [examine, readStart, hash]) expect(await outcomeOf(question!(store))).toEqual(noAnswer)
    // One second for each of the first two, and two for each of the two attempts at a range.
    expect(performance.now() - start).toBeLessThan(8_000)
  })

  it('keeps no more callers waiting than it has connections', async () => {
    const store = await storeAnswering(() => {})
    const start = performance.now()
    const asked = Array.from({ length: 200 }, () => outcomeOf(store.examine('a', { byteSize: 3, startBytes: 10 })))
    const outcomes = await Promise.all(asked)
    expect(outcomes.every((outcome) => outcome instanceof BlobStoreUnavailable)).toBe(true)
    expect(performance.now() - start).toBeLessThan(4_000)
  })

  it('is unavailable when it answers with an unrelated page', async () => {
    const store = await storeAnswering((_request, response) => response.end('<html><body>Welcome</body></html>'))
    for (const [name, question] of Object.entries(questions)) {
      // A HEAD of the bucket tells nothing but its status.
      if (name !== 'ping') expect([name, await outcomeOf(question(store))]).toEqual([name, noAnswer])
    }
  })

  it('is unavailable when the body stops or is truncated', async () => {
    for (const after of ['stall', 'cut'] as const) {
      const store = await storeAnswering((_request, response) => {
        response.writeHead(200, { 'content-length': 100, etag: '"a"' })
        response.write('half', () => after === 'cut' && response.destroy())
      })
      await expect(store.hash('a')).rejects.toBeInstanceOf(BlobStoreUnavailable)
      await expect(store.readStart('a', 50)).rejects.toBeInstanceOf(BlobStoreUnavailable)
      for (const byteSize of [100, 100_000]) {
        await expect(store.examine('a', { byteSize, startBytes: 50 })).rejects.toBeInstanceOf(BlobStoreUnavailable)
      }
    }
  })

  it('is unavailable with wrong credentials, and the error contains no signature and no secret', async () => {
    const bucket = await startBucket()
    closeAfterTest(() => bucket.close())
    const wrong = { ...bucket.options, secretAccessKey: 'sk-another-secret' }
    const store = createS3BlobStore(wrong, impatience)
    closeAfterTest(async () => store.close())
    await expectNoAnswer(store)
    const error: unknown = await store.list({ prefix: '' }).catch((reason: unknown) => reason)
    const told = inspect(error, { depth: 10, showHidden: true })
    expect(told).toContain('SignatureDoesNotMatch')
    expect(told).not.toMatch(/sk-another|AKTEST|[0-9a-f]{64}|AWS4-HMAC/)
  })

  it('is unavailable when the bucket is missing, which a HEAD alone cannot distinguish from a missing object', async () => {
    const store = await storeAnswering((_request, response) => response.writeHead(404).end())
    await expect(store.head('a')).rejects.toBeInstanceOf(BlobStoreUnavailable)
  })

  it('is asked again when the first response was a 503', async () => {
    let asked = 0
    const store = await storeAnswering((_request, response) => response.writeHead(asked++ === 0 ? 503 : 200).end())
    await expect(store.ping()).resolves.toBeUndefined()
    expect(asked).toBe(2)
  })
})

describe('reading', () => {
  it('disconnects after the requested bytes, even from a store that ignores ranges', async () => {
    let sent = 0
    let closed: Promise<unknown> | undefined
    const store = await storeAnswering((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000_000_000, etag: '"a"' })
      const timer = setInterval(() => response.write(Buffer.alloc(1_000, 97), () => (sent += 1_000)), 2)
      response.on('close', () => clearInterval(timer))
      closed = once(response, 'close')
    })
    expect(await store.readStart('a', 1_500)).toEqual(new Uint8Array(1_500).fill(97))
    await closed
    expect(sent).toBeLessThan(1_000_000)
  })

  it('ignores a hash of parts and a malformed hash', async () => {
    const digest = Buffer.alloc(32, 7).toString('base64')
    const cases: [Record<string, string>, string | null][] = [
      [{ 'x-amz-checksum-sha256': digest }, '07'.repeat(32)],
      [{ 'x-amz-checksum-sha256': digest, 'x-amz-checksum-type': 'FULL_OBJECT' }, '07'.repeat(32)],
      [{ 'x-amz-checksum-sha256': digest, 'x-amz-checksum-type': 'COMPOSITE' }, null],
      [{ 'x-amz-checksum-sha256': `${digest}-3` }, null],
      [{ 'x-amz-checksum-sha256': 'abc' }, null],
      [{}, null],
    ]
    for (const [headers, sha256] of cases) {
      const store = await storeAnswering((request, response) => {
        expect(request.headers['x-amz-checksum-mode']).toBe('ENABLED')
        response.writeHead(200, { 'content-length': 3, etag: '"a"', ...headers }).end()
      })
      const facts = { byteSize: 3, etag: 'a', contentType: '', contentEncoding: null, sha256 }
      expect(await store.head('a')).toEqual({ ...facts, lastModified: null, installation: null })
    }
  })
})

describe('deleting', () => {
  it('reports each key that the store refused or omitted, and none that was already deleted', async () => {
    const store = await answeringXml(`<DeleteResult><Deleted><Key>a</Key></Deleted>
      <Error><Key>b</Key><Code>AccessDenied</Code><Message>No</Message></Error>
      <Error><Key>c</Key><Code>NoSuchKey</Code><Message>Gone</Message></Error></DeleteResult>`)
    const { failed } = await store.delete(['a', 'b', 'c', 'd'])
    expect(failed).toEqual([
      { key: 'b', code: 'AccessDenied', message: 'No' },
      { key: 'd', code: 'Unconfirmed', message: expect.any(String) },
    ])
  })

  it('does not treat an error in a 200 as success', async () => {
    const store = await answeringXml('<Error><Code>InternalError</Code><Message>Try again</Message></Error>')
    await expect(store.delete(['a'])).rejects.toBeInstanceOf(BlobStoreUnavailable)
  })
})

describe('listing', () => {
  const page = (inside: string) => answeringXml(`<ListBucketResult>${inside}</ListBucketResult>`)
  const object = (key: string) =>
    `<Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag><LastModified>2026-11-21T00:00:00.000Z</LastModified></Contents>`

  it('refuses a page of another bucket, a truncated one and one that does not say that it is complete', async () => {
    const pages = [
      `<Name>other</Name><IsTruncated>false</IsTruncated>`,
      `<Name>files</Name><IsTruncated>true</IsTruncated>${object('a')}`,
      `<Name>files</Name>${object('a')}`,
      `<Name>files</Name><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents>`,
    ]
    for (const inside of pages) {
      await expect((await page(inside)).list({ prefix: '' })).rejects.toBeInstanceOf(BlobStoreUnavailable)
    }
  })

  it('refuses a page that names itself as the next, and one with keys of another prefix', async () => {
    const start = '<Name>files</Name><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>'
    const store = await page(`${start}${object('a/1')}`)
    expect(await store.list({ prefix: 'a/' })).toMatchObject({ continuationToken: 't' })
    await expect(store.list({ prefix: 'a/', continuationToken: 't' })).rejects.toBeInstanceOf(BlobStoreUnavailable)
    await expect(store.list({ prefix: 'b/' })).rejects.toBeInstanceOf(BlobStoreUnavailable)
  })

  it('decodes escaped keys with either form of a space, and does not change plain keys', async () => {
    const start = '<Name>files</Name><IsTruncated>false</IsTruncated>'
    const escaped = await page(`${start}<EncodingType>url</EncodingType>${object('a+b%20c%2Bd%01')}`)
    expect((await escaped.list({ prefix: '' })).objects[0]?.key).toBe('a b c+d\u0001')
    const plain = await page(`${start}${object('a+b%20c')}`)
    expect((await plain.list({ prefix: '' })).objects[0]?.key).toBe('a+b%20c')
  })

  it('refuses page sizes out of range', async () => {
    const store = await page('')
    for (const maxKeys of [0, -1, 1.5, 1_001]) {
      await expect(store.list({ prefix: '', maxKeys })).rejects.toBeInstanceOf(RangeError)
    }
  })
})

describe('listing unfinished uploads', () => {
  const page = (inside: string) => answeringXml(`<ListMultipartUploadsResult>${inside}</ListMultipartUploadsResult>`)
  const time = '<Initiated>2026-11-21T00:00:00.000Z</Initiated>'
  const upload = `<Upload><Key>a</Key><UploadId>u</UploadId>${time}</Upload>`
  const next = '<NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>'

  it('refuses a page of another bucket or prefix, a truncated one, one that does not continue and one with gaps', async () => {
    const whole = '<IsTruncated>false</IsTruncated>'
    const more = '<IsTruncated>true</IsTruncated>'
    expect(await (await page(`${whole}${upload}`)).listUnfinishedUploads('a')).toEqual({
      uploads: [{ key: 'a', uploadId: 'u', initiated: new Date('2026-11-21') }],
      next: null,
    })
    const pages = [
      upload,
      `<Bucket>other</Bucket>${whole}`,
      `${more}${upload}`,
      `${more}<NextKeyMarker>a</NextKeyMarker>${upload}`,
      `${more}<NextUploadIdMarker>u</NextUploadIdMarker>${upload}`,
      `${more}${next}${upload}`,
      `${whole}<Upload><UploadId>u</UploadId>${time}</Upload>`,
      `${whole}<Upload><Key>a</Key>${time}</Upload>`,
      `${whole}<Upload><Key>a</Key><UploadId>u</UploadId></Upload>`,
      `${whole}<Upload><Key>b</Key><UploadId>u</UploadId>${time}</Upload>`,
    ]
    for (const inside of pages) {
      const answer = (await page(inside)).listUnfinishedUploads('a', { key: 'a', uploadId: 'u' })
      expect([inside, await outcomeOf(answer)]).toEqual([inside, noAnswer])
    }
  })

  it('requests escaped keys, which can contain characters that XML cannot', async () => {
    const asked: string[] = []
    const store = await storeAnswering((request, response) => {
      asked.push(request.url ?? '')
      response.end('<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>')
    })
    await store.listUnfinishedUploads('')
    expect(new URL(asked[0]!, 'http://store').searchParams.get('encoding-type')).toBe('url')
  })

  it('decodes escaped keys and markers', async () => {
    const store = await page(
      `<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
      <NextKeyMarker>a+b%2Bc%01</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>
      ${upload.replace('<Key>a<', '<Key>a%20b%2Bc%01<')}`,
    )
    const { uploads, next: marker } = await store.listUnfinishedUploads('')
    expect(uploads[0]?.key).toBe('a b+c\u0001')
    expect(marker).toEqual({ key: 'a b+c\u0001', uploadId: 'u' })
  })
})

describe('aborting an upload', () => {
  it('does not treat a missing bucket as a missing upload', async () => {
    const refusing = (code: string) =>
      storeAnswering((_request, response) => response.writeHead(404).end(`<Error><Code>${code}</Code></Error>`))
    await expect((await refusing('NoSuchUpload')).abortUpload('a', 'u')).resolves.toBeUndefined()
    await expect((await refusing('NoSuchBucket')).abortUpload('a', 'u')).rejects.toBeInstanceOf(BlobStoreUnavailable)
  })
})

describe('writing with the condition to create', () => {
  /** Answers the requests with these statuses in turn, and repeats the last one. */
  async function storeWithStatuses(...statuses: number[]) {
    const asked: (string | undefined)[] = []
    const store = await storeAnswering((request, response) => {
      request.resume()
      asked.push(request.headers['if-none-match'])
      const status = statuses[Math.min(asked.length, statuses.length) - 1]!
      response.writeHead(status, status === 200 ? { etag: '"e"' } : {}).end()
    })
    return { asked, create: () => questions.create!(store), replace: () => questions.write!(store) }
  }

  it('retries when another write ran at the same time, and uses the next answer', async () => {
    for (const [status, answer] of [
      [200, 'WRITTEN'],
      [412, 'PRESENT'],
    ] as const) {
      const { create, asked } = await storeWithStatuses(409, status)
      expect(await create()).toBe(answer)
      expect(asked).toEqual(['*', '*'])
    }
  })

  it('gives up when the conflict does not end', async () => {
    const { create, asked } = await storeWithStatuses(409)
    await expect(create()).rejects.toBeInstanceOf(BlobStoreUnavailable)
    expect(asked).toHaveLength(3)
  })

  it('is the only conditional write, and the only one that a 412 answers', async () => {
    const { replace, asked } = await storeWithStatuses(412)
    await expect(replace()).rejects.toBeInstanceOf(BlobStoreUnavailable)
    expect(asked).toEqual([undefined])
  })
})

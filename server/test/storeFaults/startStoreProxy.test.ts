import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as ask, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startLocalBucket, type LocalBucket } from '../../src/embedded/bucket/startLocalBucket.ts'
import { BlobStoreUnavailable, type BlobStore } from '../../src/storage/blobStore.ts'
import type { BucketOptions } from '../../src/storage/bucketAddress.ts'
import { createClient, sendRaw } from '../../src/storage/contract/testing/s3Requests.ts'
import { createS3BlobStore } from '../../src/storage/s3/s3BlobStore.ts'
import {
  afterRequests,
  answerWith,
  cutAnswerAfter,
  delay,
  delayAnswer,
  loseReply,
  refuseWith,
  resetRequestAfter,
  rewriteAnswer,
} from './faults.ts'
import {
  emptyListing,
  endingTooSoon,
  ofAnotherBucket,
  samePageForEver,
  truncatedWithoutToken,
  withoutKeys,
} from './listings.ts'
import { isAbort, isDeletion, isHead, isListing, isPing, isRead, isUploadListing, isWrite } from './requests.ts'
import { startStoreProxy, type Fault, type StoreProxy } from './startStoreProxy.ts'

const account = { region: 'us-east-1', bucket: 'files', accessKeyId: 'AKTEST', secretAccessKey: 'test-secret' }
const patience = { connectMilliseconds: 5_000, answerMilliseconds: 5_000, attempts: 2 }
const plain = { contentType: 'text/plain' }
const bytes = (text: string) => new TextEncoder().encode(text)
const keys = ['p/a', 'p/b', 'p/c', 'p/d', 'p/e']

let folder: string
let bucket: LocalBucket
let proxy: StoreProxy
let target: BucketOptions
/** Through the proxy, with the SDK's quota of second attempts untouched in each test, and past it. */
let store: BlobStore
let direct: BlobStore

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filegraph-proxy-'))
  bucket = await startLocalBucket({ directory: folder, ...account })
  proxy = await startStoreProxy(bucket.endpoint)
  target = { ...account, endpoint: proxy.endpoint, forcePathStyle: true }
  direct = createS3BlobStore({ ...target, endpoint: bucket.endpoint })
  for (const key of keys) await direct.write(key, bytes(key), plain)
})
beforeEach(() => {
  store = createS3BlobStore(target, patience)
})
afterEach(async () => {
  proxy.clear()
  store.close()
  store = createS3BlobStore(target, patience)
  await expectAllWorks()
  store.close()
})
afterAll(async () => {
  direct.close()
  await proxy.close()
  await bucket.close()
  await rm(folder, { recursive: true, force: true })
})

/** Before it asks again the SDK waits, longest after a refusal. */
function askOnce(answerMilliseconds = patience.answerMilliseconds): void {
  store.close()
  store = createS3BlobStore(target, { ...patience, answerMilliseconds, attempts: 1 })
}

async function listAll(maxKeys = 2): Promise<string[]> {
  const found: string[] = []
  for (let continuationToken: string | null | undefined; continuationToken !== null;) {
    const page = await store.list({ prefix: 'p/', maxKeys, continuationToken })
    found.push(...page.objects.map(({ key }) => key))
    continuationToken = page.continuationToken
  }
  return found
}

async function expectAllWorks(): Promise<void> {
  expect(await listAll()).toEqual(keys)
  expect(await store.head('p/a')).toEqual(await direct.head('p/a'))
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const expectUnavailable = (work: Promise<unknown>) => expect(work).rejects.toBeInstanceOf(BlobStoreUnavailable)
const outcomeOf = (work: Promise<unknown>) => work.catch((reason: unknown) => reason)

async function beginUpload(): Promise<string> {
  const client = createClient(target)
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: 'files', Key: 'p/u' }))
  client.destroy()
  return UploadId!
}

/** Every question of a blob store, and the requests that it sends. */
const questions = {
  head: [isHead, () => store.head('p/a')],
  readStart: [isRead, () => store.readStart('p/a', 10)],
  hash: [isRead, () => store.hash('p/a')],
  delete: [isDeletion, () => store.delete(['p/nothing'])],
  list: [isListing, () => store.list({ prefix: 'p/' })],
  write: [isWrite, () => store.write('q/w', bytes('w'), plain)],
  create: [isWrite, () => store.write('q/w', bytes('w'), { ...plain, onlyIf: 'ABSENT' })],
  listUnfinishedUploads: [isUploadListing, () => store.listUnfinishedUploads('p/')],
  abortUpload: [isAbort, () => store.abortUpload('p/u', 'no-upload')],
  ping: [isPing, () => store.ping()],
} as const

type Question = keyof typeof questions
const everyQuestion = Object.keys(questions) as Question[]
/** Questions whose answer is more than a status, and those whose answer has a body. */
const beyondStatus = everyQuestion.filter((name) => name !== 'ping')
const withBody: Question[] = ['readStart', 'hash', 'delete', 'list', 'listUnfinishedUploads']

/** Asks all questions, or those named, while the fault befalls the requests of each. */
async function expectNoAnswer(fault: () => Fault, names = everyQuestion) {
  for (const name of names) {
    const [match, question] = questions[name]
    proxy.clear()
    proxy.on(match, fault())
    expect([name, await outcomeOf(question())]).toEqual([name, expect.any(BlobStoreUnavailable)])
  }
}

describe('a proxy in front of a store', () => {
  it('passes requests and responses on unchanged', async () => {
    const key = `p2/a b+c%é${randomUUID()}`
    const body = 'x'.repeat(200_000)
    const signed = await store.signUpload({
      key,
      ...plain,
      byteSize: body.length,
      expiresInSeconds: 60,
      now: new Date(),
    })
    const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
    expect((await fetch(signed.url, { method: 'PUT', headers, body })).status).toBe(200)
    expect((await direct.hash(key))?.sha256).toBe(sha256(body))

    const asked = { key, contentType: 'text/x', contentDisposition: 'inline', expiresInSeconds: 60, now: new Date() }
    const [through, past] = [await sendRaw(store.signDownload(asked)), await sendRaw(direct.signDownload(asked))]
    const withoutId = ({ headers: all }: typeof past) => ({ ...all, date: '', 'x-amz-request-id': '' })
    expect(through.text).toBe(body)
    expect(withoutId(through)).toEqual(withoutId(past))
    await direct.delete([key])
  })

  it('keeps headers in their order and number, and responds in chunks', async () => {
    const seen: string[][] = []
    const server = createServer((request, response) => {
      seen.push(request.rawHeaders)
      response.sendDate = false
      response.writeHead(200, 'Fine', ['X-One', 'a', 'x-two', 'b', 'X-One', 'c', 'Transfer-Encoding', 'chunked'])
      response.write('first ')
      response.end('second')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const plainProxy = await startStoreProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const asked = ask(plainProxy.endpoint, { headers: ['Host', 'a.name:1', 'X-A', '1', 'x-a', '2'] }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    expect(Buffer.concat((await answer.toArray()) as Buffer[]).toString()).toBe('first second')
    expect(seen[0]?.slice(0, 6)).toEqual(['Host', 'a.name:1', 'X-A', '1', 'x-a', '2'])
    expect(answer.statusMessage).toBe('Fine')
    expect(answer.rawHeaders.slice(0, 8)).toEqual([
      'X-One',
      'a',
      'x-two',
      'b',
      'X-One',
      'c',
      'Transfer-Encoding',
      'chunked',
    ])
    await plainProxy.close()
    await new Promise((resolve) => server.close(resolve))
  })

  it('closes the connection to its client when the store is down', async () => {
    const nowhere = await startStoreProxy('http://127.0.0.1:1')
    await expect(fetch(nowhere.endpoint)).rejects.toThrow('fetch failed')
    await nowhere.close()
  })

  it('requests a body that waits for 100 Continue, or passes the refusal on', async () => {
    const signed = await store.signUpload({ key: 'q/i', ...plain, byteSize: 3, expiresInSeconds: 60, now: new Date() })
    const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
    const put = async () => {
      const invited = { ...headers, 'content-length': '3', expect: '100-continue' }
      const outgoing = ask(signed.url, { method: 'PUT', headers: invited })
      outgoing.on('continue', () => outgoing.end('abc'))
      outgoing.flushHeaders()
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
      await answer.toArray()
      outgoing.destroy()
      return answer.statusCode
    }
    expect(await put()).toBe(200)
    expect(await put()).toBe(412)
    await direct.delete(['q/i'])
  })

  it('keeps a list of the requests', async () => {
    const before = proxy.requests.length
    await store.head('p/a')
    await store.ping()
    expect(proxy.requests.slice(before)).toEqual([
      { method: 'HEAD', path: '/files/p/a' },
      { method: 'HEAD', path: '/files' },
    ])
  })

  it('misbehaves as often as configured, for the configured requests, until it is cleared', async () => {
    proxy.on(isHead, refuseWith(503, 'SlowDown'), 1)
    const before = proxy.requests.length
    // The SDK asks again after the first refusal.
    expect(await store.head('p/a')).not.toBeNull()
    expect(proxy.requests.slice(before)).toHaveLength(2)
    proxy.on(isHead, refuseWith(503, 'SlowDown'))
    await expectUnavailable(store.head('p/a'))
    expect(await store.readStart('p/a', 3)).toEqual(bytes('p/a'))
    proxy.clear()
    expect(await store.head('p/a')).not.toBeNull()
  })
})

describe('a response is not accepted from a store', () => {
  it('that refuses', async () => {
    askOnce()
    await expectNoAnswer(() => refuseWith(503, 'SlowDown'))
    await expectNoAnswer(() => refuseWith(403, 'AccessDenied'))
    await expectNoAnswer(() => refuseWith(500, 'InternalError'))
  })

  it('whose every response is lost in transit', async () => {
    await expectNoAnswer(loseReply)
    await direct.delete(['q/w'])
  })

  it('that sends an error or nothing with status 200', async () => {
    await expectNoAnswer(() => refuseWith(200, 'InternalError'), beyondStatus)
    await expectNoAnswer(() => answerWith(200), beyondStatus)
  })

  it('that sends half a body', async () => {
    for (const half of [0, 1, 100]) await expectNoAnswer(() => cutAnswerAfter(half), withBody)
  })

  it('that takes longer than the timeout', async () => {
    askOnce(50)
    await expectNoAnswer(() => delay(500))
    await expectNoAnswer(() => delayAnswer(500))
    await direct.delete(['q/w'])
  })

  it('that loses the connection during the body', async () => {
    await expectNoAnswer(() => resetRequestAfter(0), ['write', 'create', 'delete'])
    expect(await direct.head('q/w')).toBeNull()
  })
})

describe('a truncated body', () => {
  const body = 'x'.repeat(300_000)

  it('in transit to the store leaves nothing there', async () => {
    for (const [key, cut] of [
      ['q/none', 0],
      ['q/half', 150_000],
      ['q/more', 300_001],
    ] as const) {
      proxy.clear()
      proxy.on(isWrite, resetRequestAfter(cut))
      const upload = { key, ...plain, byteSize: body.length, expiresInSeconds: 60, now: new Date() }
      const { url, headers } = await store.signUpload(upload)
      const sent = fetch(url, { method: 'PUT', headers: headers.map(({ name, value }) => [name, value]), body })
      await expect(sent).rejects.toThrow('fetch failed')
      expect(await direct.head(key)).toBeNull()
    }
  })

  it('in transit to the client has the configured bytes, and the length of the whole', async () => {
    proxy.on(isRead, cutAnswerAfter(2))
    const asked = { key: 'p/a', ...plain, contentDisposition: 'inline', expiresInSeconds: 60, now: new Date() }
    const answer = await fetch(store.signDownload(asked))
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '3'])
    const got: number[] = []
    const read = async () => {
      for await (const chunk of answer.body!) got.push(...(chunk as Uint8Array))
    }
    await expect(read()).rejects.toThrow('terminated')
    expect(Buffer.from(got).toString()).toBe('p/')
  })
})

describe('a late response', () => {
  it('is complete, and the store had done the work before', async () => {
    proxy.on(isWrite, delayAnswer(50), 1)
    proxy.on(isRead, delay(50), 1)
    expect(await store.write('q/w', bytes('late'), plain)).toBe('WRITTEN')
    expect((await store.hash('q/w'))?.sha256).toBe(sha256('late'))
    proxy.on(isDeletion, delayAnswer(500))
    askOnce(200)
    await expectUnavailable(store.delete(['q/w']))
    await expect.poll(() => direct.head('q/w')).toBeNull()
  })
})

describe('a response that is lost after success', () => {
  it('to a delete is requested again, and the second delete succeeds', async () => {
    await direct.write('q/d', bytes('d'), plain)
    proxy.on(isDeletion, loseReply(), 1)
    const before = proxy.requests.length
    expect(await store.delete(['q/d'])).toEqual({ failed: [] })
    expect(proxy.requests.slice(before)).toHaveLength(2)
    expect(await direct.head('q/d')).toBeNull()
  })

  it('to a write with the condition to create finds its own object', async () => {
    proxy.on(isWrite, loseReply(), 1)
    expect(await store.write('q/w', bytes('mine'), { ...plain, onlyIf: 'ABSENT' })).toBe('PRESENT')
    expect((await direct.hash('q/w'))?.sha256).toBe(sha256('mine'))
    await direct.delete(['q/w'])
  })

  it('to an abort is requested again, and the upload is gone', async () => {
    const uploadId = await beginUpload()
    proxy.on(isAbort, loseReply(), 1)
    await expect(store.abortUpload('p/u', uploadId)).resolves.toBeUndefined()
    expect(await direct.listUnfinishedUploads('p/')).toEqual({ uploads: [], next: null })
  })
})

describe('a listing', () => {
  it('that fails on its third page has two', async () => {
    const pages: string[][] = []
    proxy.on(isListing, afterRequests(2, refuseWith(503, 'SlowDown')))
    let continuationToken: string | undefined
    for (let number = 1; number <= 2; number += 1) {
      const page = await store.list({ prefix: 'p/', maxKeys: 2, continuationToken })
      pages.push(page.objects.map(({ key }) => key))
      continuationToken = page.continuationToken!
    }
    expect(pages.flat()).toEqual(keys.slice(0, 4))
    await expectUnavailable(store.list({ prefix: 'p/', maxKeys: 2, continuationToken }))
  })

  it('that is truncated without a token, or of another bucket, is refused', async () => {
    await expectNoAnswer(truncatedWithoutToken, ['list'])
    await expectNoAnswer(() => ofAnotherBucket('other'), ['list'])
    await expectNoAnswer(() => answerWith(200, emptyListing('other', 'p/')), ['list'])
  })

  it('that never continues under one token is refused on its second page', async () => {
    proxy.on(isListing, samePageForEver('same'))
    const first = await store.list({ prefix: 'p/', maxKeys: 2 })
    expect(first.objects.map(({ key }) => key)).toEqual(keys.slice(0, 2))
    const second = await store
      .list({ prefix: 'p/', maxKeys: 2, continuationToken: first.continuationToken! })
      .catch((reason: unknown) => reason)
    expect(second).toBeInstanceOf(BlobStoreUnavailable)
  })

  it('that never continues under new tokens, is empty, too short or has gaps is accepted: callers have to doubt it', async () => {
    proxy.on(isListing, samePageForEver('new'))
    let continuationToken: string | undefined
    for (let number = 1; number <= 4; number += 1) {
      const page = await store.list({ prefix: 'p/', maxKeys: 2, continuationToken })
      expect(page.objects.map(({ key }) => key)).toEqual(keys.slice(0, 2))
      continuationToken = page.continuationToken!
    }
    proxy.clear()
    proxy.on(isListing, answerWith(200, emptyListing('files', 'p/')))
    expect(await store.list({ prefix: 'p/' })).toEqual({ objects: [], continuationToken: null })
    proxy.clear()
    proxy.on(isListing, endingTooSoon())
    expect(await listAll(2)).toEqual(keys.slice(0, 2))
    proxy.clear()
    proxy.on(
      isListing,
      withoutKeys((key) => key === 'p/b'),
    )
    expect(await listAll(2)).toEqual(keys.filter((key) => key !== 'p/b'))
  })

  it('can be rewritten as a whole, and so can any response', async () => {
    proxy.on(
      isListing,
      rewriteAnswer((xml, { url }) => (url.includes('prefix=p') ? xml.replaceAll('p/a', 'p/A') : xml)),
    )
    expect((await store.list({ prefix: 'p/', maxKeys: 1 })).objects[0]?.key).toBe('p/A')
  })
})

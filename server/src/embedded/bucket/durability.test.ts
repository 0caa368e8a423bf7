import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BucketOptions } from '../../storage/bucketAddress.ts'
import { createClient, presign, sendRaw, statusOf } from '../../storage/contract/testing/s3Requests.ts'
import { openObjectStore } from './objectStore.ts'
import { account, openTestBucket, type TestBucket } from './testing/openTestBucket.ts'

let bucket: TestBucket
let client: S3Client
beforeEach(async () => {
  bucket = await openTestBucket()
  client = createClient(bucket.target)
})
afterEach(async () => {
  client.destroy()
  await bucket.dispose()
  expect(bucket.bugs).toEqual([])
})

const put = (Key: string, Body: string, more = {}, from = client) =>
  from.send(new PutObjectCommand({ Bucket: account.bucket, Key, Body, ...more }))
const statusUnder = (Key: string, from = client) =>
  statusOf(from.send(new HeadObjectCommand({ Bucket: account.bucket, Key })))
const textUnder = async (Key: string, from = client) =>
  (await from.send(new GetObjectCommand({ Bucket: account.bucket, Key }))).Body!.transformToString()
const incoming = (directory: string) => readdir(join(directory, account.bucket, 'incoming'))

/** A PUT that has sent a part of its body, and that the endpoint is writing. */
async function beginPut(
  target: BucketOptions,
  directory: string,
  Key: string,
  length = 1000,
  agent: Agent | false = false,
): Promise<ClientRequest> {
  const signer = createClient(target)
  const url = await presign(signer, new PutObjectCommand({ Bucket: account.bucket, Key }))
  signer.destroy()
  const before = await incoming(directory)
  const outgoing = request(url, { method: 'PUT', headers: { 'content-length': length }, agent })
  outgoing.on('error', () => undefined)
  outgoing.write('a'.repeat(100))
  await vi.waitFor(async () => expect(await incoming(directory)).toHaveLength(before.length + 1), {
    timeout: 5000,
    interval: 10,
  })
  return outgoing
}

describe('a PUT that never ends', () => {
  it('leaves nothing when its client disconnects', async () => {
    const outgoing = await beginPut(bucket.target, bucket.directory, 'torn')
    outgoing.destroy()
    await vi.waitFor(async () => expect(await incoming(bucket.directory)).toEqual([]))
    expect(await statusUnder('torn')).toBe(404)
  })

  it('keeps the existing object', async () => {
    await put('kept', 'old')
    const outgoing = await beginPut(bucket.target, bucket.directory, 'kept')
    expect(await textUnder('kept')).toBe('old')
    outgoing.destroy()
    await vi.waitFor(async () => expect(await incoming(bucket.directory)).toEqual([]))
    expect(await textUnder('kept')).toBe('old')
  })

  it('fails with a condition to create if another one completes first', async () => {
    const command = new PutObjectCommand({ Bucket: account.bucket, Key: 'raced', IfNoneMatch: '*' })
    const url = await presign(client, command, ['if-none-match'])
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    async function* slowly() {
      yield Buffer.from('slow')
      await released
      yield Buffer.from('slow')
    }
    const headers = { 'if-none-match': '*', 'content-length': '8' }
    const slow = sendRaw(url, { method: 'PUT', headers, body: slowly() })
    await vi.waitFor(async () => expect(await incoming(bucket.directory)).not.toEqual([]))
    await put('raced', 'fast', { IfNoneMatch: '*' })
    release()
    expect(await slow).toMatchObject({ status: 412, code: 'PreconditionFailed' })
    expect(await textUnder('raced')).toBe('fast')
    expect(await incoming(bucket.directory)).toEqual([])
  })
})

describe('an endpoint that is killed', () => {
  const children: ChildProcess[] = []
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'filegraph-bucket-'))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  async function startChild(): Promise<{ child: ChildProcess; target: BucketOptions }> {
    const script = fileURLToPath(new URL('testing/bucketProcess.ts', import.meta.url))
    const child = fork(script, [directory], { execArgv: ['--import', 'tsx'] })
    children.push(child)
    const [endpoint] = (await once(child, 'message')) as [string]
    return { child, target: { ...account, endpoint, forcePathStyle: true } }
  }

  it('keeps every acknowledged object, and nothing of one in progress', async () => {
    const { child, target } = await startChild()
    const before = createClient(target)
    for (let index = 0; index < 20; index++) await put(`done-${index}`, `content ${index}`, {}, before)
    await put('over', 'old', {}, before)
    before.destroy()
    await beginPut(target, directory, 'over')
    await beginPut(target, directory, 'new')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await incoming(directory)).toHaveLength(2)

    const again = await openTestBucket({ directory })
    const after = createClient(again.target)
    for (let index = 0; index < 20; index++) expect(await textUnder(`done-${index}`, after)).toBe(`content ${index}`)
    expect(await textUnder('over', after)).toBe('old')
    expect(await statusUnder('new', after)).toBe(404)
    expect(await incoming(directory)).toEqual([])
    after.destroy()
    await again.dispose()
  })
})

describe('the length of a body', () => {
  const raw = async (Key: string, headers: string, body: string, isCutOff = false) => {
    const url = new URL(await presign(client, new PutObjectCommand({ Bucket: account.bucket, Key })))
    const socket = connect(Number(url.port), url.hostname)
    socket.write(`PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${headers}\r\n${body}`)
    if (isCutOff) socket.end()
    const chunks = (await socket.toArray()) as Buffer[]
    return Buffer.concat(chunks).toString()
  }

  it('must equal its header', async () => {
    await raw('short', 'Content-Length: 10\r\n', 'short', true)
    expect(await statusUnder('short')).toBe(404)
    expect(await raw('long', 'Content-Length: 4\r\n', 'longer')).toMatch(/^HTTP\/1.1 400/)
    expect(await statusUnder('long')).toBe(404)
  })

  it('must be declared', async () => {
    const answer = await raw('chunked', 'Transfer-Encoding: chunked\r\nConnection: close\r\n', '2\r\nab\r\n0\r\n\r\n')
    expect(answer).toContain('<Code>MissingContentLength</Code>')
    expect(await raw('none', 'Connection: close\r\n', '')).toContain('<Code>MissingContentLength</Code>')
  })
})

describe('a refusal', () => {
  it('is sent before the body to a client that waits for 100 Continue', async () => {
    await put('there', 'already')
    const command = new PutObjectCommand({ Bucket: account.bucket, Key: 'there', IfNoneMatch: '*' })
    const url = await presign(client, command, ['if-none-match'])
    const headers = { 'if-none-match': '*', 'content-length': 1_000_000, expect: '100-continue' }
    const outgoing = request(url, { method: 'PUT', headers, agent: false })
    let isInvited = false
    outgoing.on('continue', () => {
      isInvited = true
    })
    outgoing.flushHeaders()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.resume()
    expect([answer.statusCode, isInvited]).toEqual([412, false])
    outgoing.destroy()
  })

  it('reaches a client that is still sending', async () => {
    await put('there', 'already')
    const command = new PutObjectCommand({ Bucket: account.bucket, Key: 'there', IfNoneMatch: '*' })
    const url = new URL(await presign(client, command, ['if-none-match']))
    const body = Buffer.alloc(16 * 1024 * 1024)
    const socket = connect(Number(url.port), url.hostname)
    // It looks at the answer only when it has sent all: a reset would have thrown that away by then.
    socket.pause()
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nIf-None-Match: *\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    await promisify(socket.write.bind(socket) as (chunk: Buffer, done: (error?: Error | null) => void) => void)(body)
    const answer = Buffer.concat((await socket.toArray()) as Buffer[]).toString()
    expect(answer).toMatch(/^HTTP\/1.1 412 /)
    expect(answer).toContain('<Code>PreconditionFailed</Code>')
  })
})

describe('closing', () => {
  it('finishes the requests in flight, and accepts no others', async () => {
    const agent = new Agent({ keepAlive: true })
    const outgoing = await beginPut(bucket.target, bucket.directory, 'late', 101, agent)
    const closed = bucket.close()
    await wait(50)
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
    outgoing.end('b')
    const [answer] = await answered
    answer.resume()
    expect(answer.statusCode).toBe(200)
    const answeredAt = Date.now()
    await closed
    // The client would have kept the connection.
    expect(Date.now() - answeredAt).toBeLessThan(2000)
    agent.destroy()
    await expect(fetch(bucket.target.endpoint)).rejects.toThrow()
    bucket = await openTestBucket({ directory: bucket.directory })
    const later = createClient(bucket.target)
    expect(await textUnder('late', later)).toBe(`${'a'.repeat(100)}b`)
    later.destroy()
  })

  it('does not wait for idle connections', async () => {
    await put('a', 'a')
    const start = Date.now()
    await bucket.close()
    expect(Date.now() - start).toBeLessThan(2000)
  })
})

describe('files that were never published', () => {
  it('are deleted after a day, and not before', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'filegraph-bucket-'))
    const store = openObjectStore(directory)
    const [fresh, stale] = ['fresh', 'stale'].map((name) => join(directory, 'incoming', name))
    for (const path of [fresh!, stale!]) await writeFile(path, 'x')
    const now = new Date()
    const yesterday = new Date(now.getTime() - 25 * 60 * 60 * 1000)
    await utimes(stale!, yesterday, yesterday)
    store.sweepStrays(now)
    expect(await readdir(join(directory, 'incoming'))).toEqual(['fresh'])
    await rm(directory, { recursive: true })
  })
})

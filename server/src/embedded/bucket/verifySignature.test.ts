import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, presign, sendRaw, statusOf, type RawRequest } from '../../storage/contract/testing/s3Requests.ts'
import { openTestBucket, type TestBucket } from './testing/openTestBucket.ts'
import { sha256Hex, signHeaders, type HeadersToSign } from './testing/signHeaders.ts'

const start = new Date('2026-11-21T12:00:00Z')
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000)

let bucket: TestBucket
let now = start
beforeAll(async () => {
  bucket = await openTestBucket({ now: () => now })
})
afterAll(async () => {
  await bucket.dispose()
  expect(bucket.bugs).toEqual([])
})

async function ask(wanted: Partial<HeadersToSign> = {}, request: RawRequest = {}) {
  const complete = { method: 'GET', key: 'nothing', payloadHash: sha256Hex(''), time: start, ...wanted }
  const { url, headers } = signHeaders(bucket.target, complete)
  const { status, code } = await sendRaw(url, {
    method: complete.method,
    ...request,
    headers: { ...headers, ...request.headers },
  })
  return [status, code]
}

describe('a signature in headers', () => {
  it('is valid for a quarter of an hour before and after its time', async () => {
    for (const seconds of [-900, 0, 900]) {
      now = later(seconds)
      expect(await ask()).toEqual([404, 'NoSuchKey'])
    }
    for (const seconds of [-901, 901]) {
      now = later(seconds)
      expect(await ask()).toEqual([403, 'RequestTimeTooSkewed'])
    }
    now = start
  })

  it('is valid only for its own region, service, key and secret', async () => {
    expect(await ask({ region: 'eu-central-1' })).toEqual([403, 'SignatureDoesNotMatch'])
    expect(await ask({ service: 'sts' })).toEqual([403, 'SignatureDoesNotMatch'])
    for (const change of [{ secretAccessKey: 'another' }, { accessKeyId: 'AKOTHER' }]) {
      const client = createClient({ ...bucket.target, ...change })
      const asked = client.send(new HeadObjectCommand({ Bucket: 'files', Key: 'a' }))
      expect(await statusOf(asked)).toBe(403)
      client.destroy()
    }
  })

  it('covers every x-amz header', async () => {
    expect(await ask({}, { headers: { 'x-amz-meta-a': '1' } })).toEqual([403, 'AccessDenied'])
    expect(await ask({ headers: { 'x-amz-meta-a': '1' } })).toEqual([404, 'NoSuchKey'])
    expect(await ask({ headers: { 'x-amz-meta-a': '1' } }, { headers: { 'x-amz-meta-a': '2' } })).toEqual([
      403,
      'SignatureDoesNotMatch',
    ])
  })

  it('covers the body by its hash', async () => {
    const wanted = { method: 'PUT', key: 'hashed', payloadHash: sha256Hex('right') }
    expect(await ask(wanted, { body: 'wrong' })).toEqual([400, 'XAmzContentSHA256Mismatch'])
    expect(await ask({ method: 'GET', key: 'hashed' })).toEqual([404, 'NoSuchKey'])
    expect(await ask(wanted, { body: 'right' })).toEqual([200, undefined])
    expect(await ask({ ...wanted, payloadHash: 'anything' }, { body: 'right' })).toEqual([400, 'InvalidArgument'])
  })

  it('must be readable', async () => {
    const { url, headers } = signHeaders(bucket.target, {
      method: 'GET',
      key: 'a',
      payloadHash: sha256Hex(''),
      time: start,
    })
    const spoilt: [string, number, string][] = [
      ['AWS AKTEST:c2lnbmF0dXJl', 400, 'InvalidRequest'],
      ['Bearer abc', 400, 'InvalidRequest'],
      ['AWS4-HMAC-SHA256 Credential=AKTEST', 400, 'AuthorizationHeaderMalformed'],
      [headers.authorization!.replace('/s3/', '/'), 400, 'AuthorizationHeaderMalformed'],
      [headers.authorization!.replace('host;', ''), 403, 'AccessDenied'],
      [headers.authorization!.replace('host;', 'host;range;'), 403, 'SignatureDoesNotMatch'],
    ]
    for (const [authorization, status, code] of spoilt) {
      expect(await sendRaw(url, { headers: { ...headers, authorization } })).toMatchObject({ status, code })
    }
    const both = await sendRaw(`${url}?X-Amz-Algorithm=AWS4-HMAC-SHA256`, { headers })
    expect(both).toMatchObject({ status: 400, code: 'InvalidArgument' })
  })
})

describe('a signature in the query', () => {
  const sign = async (signed: readonly string[] = [], more = {}) => {
    const client = createClient(bucket.target)
    const command = new PutObjectCommand({ Bucket: 'files', Key: 'signed', ...more })
    return presign(client, command, signed, start).finally(() => client.destroy())
  }

  it('is valid until the second of its expiry', async () => {
    const url = await sign()
    for (const [seconds, status] of [
      [-901, 403],
      [-900, 200],
      [60, 200],
      [61, 403],
    ] as const) {
      now = later(seconds)
      expect([seconds, (await sendRaw(url, { method: 'PUT', body: 'a' })).status]).toEqual([seconds, status])
    }
    now = later(61)
    const { text } = await sendRaw(url, { method: 'PUT', body: 'a' })
    expect(text).toContain('<Message>Request has expired</Message>')
    expect(text).toContain('<Expires>2026-11-21T12:01:00.000Z</Expires>')
    now = start
  })

  it('refuses an unsigned header that S3 would use', async () => {
    const answer = await sendRaw(await sign(), { method: 'PUT', body: 'a', headers: { 'x-amz-meta-role': 'admin' } })
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' })
  })

  it('carries metadata in place of headers, and no checksum', async () => {
    const url = await sign([], { Metadata: { a: '1' }, ChecksumCRC32: 'AAAAAA==' })
    expect(url).toMatch(/x-amz-checksum-crc32=AAAAAA.*x-amz-meta-a=1/)
    expect((await sendRaw(url, { method: 'PUT', body: 'not empty' })).status).toBe(200)
    const client = createClient(bucket.target)
    const get = await presign(client, new GetObjectCommand({ Bucket: 'files', Key: 'signed' }), [], start)
    expect((await sendRaw(get)).headers['x-amz-meta-a']).toBe('1')
    client.destroy()
  })

  it('must be readable', async () => {
    const url = await sign()
    const without = (name: string) =>
      url.replace(new RegExp(`[?&]${name}=[^&]*`), (found) => (found[0] === '?' ? '?x=1' : ''))
    const spoilt = [
      ...[
        'X-Amz-Algorithm',
        'X-Amz-Credential',
        'X-Amz-Date',
        'X-Amz-Expires',
        'X-Amz-SignedHeaders',
        'X-Amz-Signature',
      ].map(without),
      ...['0', '-1', '604801', 'abc', '1e3'].map((text) => url.replace('X-Amz-Expires=60', `X-Amz-Expires=${text}`)),
      url.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'),
      url.replace('aws4_request', 'aws4'),
    ]
    for (const one of spoilt.slice(0, -1)) {
      expect(await sendRaw(one, { method: 'PUT', body: 'a' })).toMatchObject({
        status: 400,
        code: 'AuthorizationQueryParametersError',
      })
    }
    expect(await sendRaw(spoilt.at(-1)!, { method: 'PUT', body: 'a' })).toMatchObject({ status: 403 })
  })
})

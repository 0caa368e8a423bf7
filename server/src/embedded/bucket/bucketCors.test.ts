import {
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  type CORSRule,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, presign, sendRaw, statusOf } from '../../storage/contract/testing/s3Requests.ts'
import { openTestBucket, type TestBucket } from './testing/openTestBucket.ts'

let bucket: TestBucket
let client: S3Client
beforeAll(async () => {
  bucket = await openTestBucket()
  client = createClient(bucket.target)
})
afterAll(async () => {
  client.destroy()
  await bucket.dispose()
  expect(bucket.bugs).toEqual([])
})

const rule: CORSRule = {
  ID: 'web',
  AllowedOrigins: ['https://app.example', 'https://*.preview.example'],
  AllowedMethods: ['PUT', 'GET'],
  AllowedHeaders: ['content-type', 'x-amz-*'],
  ExposeHeaders: ['ETag'],
  MaxAgeSeconds: 600,
}
const setRules = (CORSRules: CORSRule[]) =>
  client.send(new PutBucketCorsCommand({ Bucket: 'files', CORSConfiguration: { CORSRules } }))
const preflight = (origin: string | undefined, method: string, names = '') =>
  sendRaw(`${bucket.target.endpoint}/files/any`, {
    method: 'OPTIONS',
    headers: {
      ...(origin !== undefined && { origin }),
      'access-control-request-method': method,
      ...(names !== '' && { 'access-control-request-headers': names }),
    },
  })

describe('the CORS rules of a bucket', () => {
  it('are stored unchanged until they are deleted', async () => {
    const get = () => client.send(new GetBucketCorsCommand({ Bucket: 'files' }))
    await expect(get()).rejects.toMatchObject({ name: 'NoSuchCORSConfiguration' })
    await setRules([rule, { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] }])
    expect((await get()).CORSRules).toEqual([rule, { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] }])
    await client.send(new DeleteBucketCorsCommand({ Bucket: 'files' }))
    await expect(get()).rejects.toMatchObject({ name: 'NoSuchCORSConfiguration' })
  })

  it('are refused if they are invalid', async () => {
    const broken: Partial<CORSRule>[] = [
      { AllowedMethods: ['PATCH'] },
      { AllowedMethods: [] },
      { AllowedOrigins: [] },
      { AllowedOrigins: ['https://*.*'] },
      { AllowedHeaders: ['*-*'] },
      { ExposeHeaders: ['a\nb'] },
    ]
    for (const change of broken) expect(await statusOf(setRules([{ ...rule, ...change }]))).toBe(400)
    expect(await statusOf(setRules(Array.from({ length: 101 }, () => rule)))).toBe(400)
  })
})

describe('a preflight', () => {
  it('is refused if there are no rules', async () => {
    expect(await preflight('https://app.example', 'PUT')).toMatchObject({ status: 403, code: 'AccessForbidden' })
  })

  it('is answered by the rule that allows all of it', async () => {
    await setRules([rule])
    const answer = await preflight('https://app.example', 'PUT', 'Content-Type, X-Amz-Checksum-Sha256')
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'PUT, GET',
      'access-control-allow-headers': 'content-type, x-amz-checksum-sha256',
      'access-control-max-age': '600',
      vary: expect.stringContaining('Origin'),
    })
    expect((await preflight('https://one.preview.example', 'GET')).status).toBe(200)
  })

  it.each([
    ['https://evil.example', 'PUT', ''],
    ['https://app.example.evil', 'PUT', ''],
    ['http://app.example', 'PUT', ''],
    ['null', 'PUT', ''],
    ['https://app.example', 'DELETE', ''],
    ['https://app.example', 'PUT', 'content-type, authorization'],
  ])('of %s for %s with "%s" is refused', async (origin, method, names) => {
    const answer = await preflight(origin, method, names)
    expect(answer).toMatchObject({ status: 403, code: 'AccessForbidden' })
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  })

  it('without an origin is not a preflight', async () => {
    expect(await preflight(undefined, 'PUT')).toMatchObject({ status: 400 })
  })
})

describe('an answer', () => {
  it('can be read by a page of an allowed origin, even if it is a refusal', async () => {
    await setRules([rule])
    const missing = await presign(client, new GetObjectCommand({ Bucket: 'files', Key: 'missing' }))
    const put = await presign(client, new PutObjectCommand({ Bucket: 'files', Key: 'there' }))
    const headers = { origin: 'https://app.example' }
    const answers = [
      [await sendRaw(put, { method: 'PUT', headers, body: 'a' }), 200],
      [await sendRaw(missing, { headers }), 404],
      [await sendRaw(`${missing}x`, { headers }), 403],
    ] as const
    for (const [answer, status] of answers) {
      expect(answer.status).toBe(status)
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example',
        'access-control-expose-headers': 'ETag',
        vary: expect.stringContaining('Origin'),
      })
    }
    const other = await sendRaw(missing, { headers: { origin: 'https://evil.example' } })
    expect(other.headers).not.toHaveProperty('access-control-allow-origin')
    expect(other.headers.vary).toContain('Origin')
  })
})

describe('the origins that an endpoint is started with', () => {
  it('replace the stored rules; without them those stay', async () => {
    await setRules([rule])
    await bucket.close()
    bucket = await openTestBucket({ directory: bucket.directory })
    expect((await preflight('https://app.example', 'PUT')).status).toBe(200)
    await bucket.close()
    bucket = await openTestBucket({ directory: bucket.directory, corsOrigins: ['http://localhost:4000'] })
    expect((await preflight('http://localhost:4000', 'PUT', 'content-type, if-none-match')).status).toBe(200)
    expect((await preflight('https://app.example', 'PUT')).status).toBe(403)
  })
})

import {
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  type CORSRule,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { createClient, presign, sendRaw, statusOf } from '../../storage/contract/testing/s3Requests.ts'
import { openTestBucket, useTestBucket } from './testing/openTestBucket.ts'

const scene = useTestBucket()

const rule: CORSRule = {
  ID: 'web',
  AllowedOrigins: ['https://app.example', 'https://*.preview.example'],
  AllowedMethods: ['PUT', 'GET'],
  AllowedHeaders: ['content-type', 'x-amz-*'],
  ExposeHeaders: ['ETag'],
  MaxAgeSeconds: 600,
}
const setRules = (CORSRules: CORSRule[]) =>
  scene.client.send(new PutBucketCorsCommand({ Bucket: 'files', CORSConfiguration: { CORSRules } }))
const preflight = (origin: string | undefined, method: string, names = '', { target } = scene.bucket) =>
  sendRaw(`${target.endpoint}/files/any`, {
    method: 'OPTIONS',
    headers: {
      ...(origin !== undefined && { origin }),
      'access-control-request-method': method,
      ...(names !== '' && { 'access-control-request-headers': names }),
    },
  })

describe('the CORS rules of a bucket', () => {
  it('are stored unchanged until they are deleted', async () => {
    const get = () => scene.client.send(new GetBucketCorsCommand({ Bucket: 'files' }))
    await expect(get()).rejects.toMatchObject({ name: 'NoSuchCORSConfiguration' })
    await setRules([rule, { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] }])
    expect((await get()).CORSRules).toEqual([rule, { AllowedOrigins: ['*'], AllowedMethods: ['HEAD'] }])
    await scene.client.send(new DeleteBucketCorsCommand({ Bucket: 'files' }))
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
    const missing = await presign(scene.client, new GetObjectCommand({ Bucket: 'files', Key: 'missing' }))
    const put = await presign(scene.client, new PutObjectCommand({ Bucket: 'files', Key: 'there' }))
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
    const first = await openTestBucket()
    const client = createClient(first.target)
    await client.send(new PutBucketCorsCommand({ Bucket: 'files', CORSConfiguration: { CORSRules: [rule] } }))
    client.destroy()
    await first.close()
    const kept = await openTestBucket({ directory: first.directory })
    expect((await preflight('https://app.example', 'PUT', '', kept)).status).toBe(200)
    await kept.close()
    const replaced = await openTestBucket({ directory: first.directory, corsOrigins: ['http://localhost:4000'] })
    const names = 'content-type, if-none-match'
    expect((await preflight('http://localhost:4000', 'PUT', names, replaced)).status).toBe(200)
    expect((await preflight('https://app.example', 'PUT', '', replaced)).status).toBe(403)
    await replaced.dispose()
    expect([first, kept, replaced].flatMap(({ bugs }) => bugs)).toEqual([])
  })
})

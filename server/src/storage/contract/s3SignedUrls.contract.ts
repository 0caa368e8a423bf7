import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { presign, sendRaw, statusOf, type RawRequest, type S3Scene } from './testing/s3Requests.ts'

const bound = ['content-type', 'content-length', 'if-none-match', 'host']
const body = 'twelve bytes'
const headers = { 'content-type': 'text/plain', 'content-length': String(body.length), 'if-none-match': '*' }
const edit = (name: string, change: (value: string) => string) => (url: string) => {
  const at = new RegExp(`([?&]${name}=)([^&]*)`)
  return url.replace(at, (_, start: string, value: string) => `${start}${change(value)}`)
}

interface Tampering {
  readonly what: string
  readonly url?: (url: string) => string
  readonly request?: RawRequest
}

const tamperings: readonly Tampering[] = [
  { what: 'another key', url: (url) => url.replace('?', 'x?') },
  { what: 'another method', request: { method: 'POST' } },
  {
    what: 'another last digit of the signature',
    url: edit('X-Amz-Signature', (text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')),
  },
  { what: 'a shorter signature', url: edit('X-Amz-Signature', (text) => text.slice(0, 32)) },
  { what: 'a longer life', url: edit('X-Amz-Expires', () => '6000') },
  { what: 'a later date', url: edit('X-Amz-Date', (text) => `${text.slice(0, 14)}${text[14] === '0' ? '1' : '0'}Z`) },
  { what: 'another access key', url: edit('X-Amz-Credential', (text) => `X${text}`) },
  {
    what: 'another region in its scope',
    url: edit('X-Amz-Credential', (text) => text.replace(/(%2F\d{8}%2F)/, '$1x')),
  },
  {
    what: 'a header less among the signed ones',
    url: edit('X-Amz-SignedHeaders', (text) => text.replace('content-type%3B', '')),
  },
  { what: 'a parameter more', url: (url) => `${url}&response-content-type=text%2Fhtml` },
  { what: 'another type', request: { headers: { ...headers, 'content-type': 'text/html' } } },
  { what: 'a shorter body', request: { headers: { ...headers, 'content-length': '6' }, body: 'twelve' } },
  { what: 'a longer body', request: { headers: { ...headers, 'content-length': '13' }, body: `${body}!` } },
  { what: 'its condition left out', request: { headers: { 'content-type': 'text/plain', 'content-length': '12' } } },
  { what: 'another host', request: { headers: { ...headers, host: 'elsewhere.example' } } },
]

export function describeSignedUrls(scene: () => S3Scene): void {
  describe('a signed URL', () => {
    async function signPut(key: string) {
      const { client, target } = scene()
      const ContentLength = body.length
      const command = new PutObjectCommand({
        Bucket: target.bucket,
        Key: key,
        ContentType: 'text/plain',
        ContentLength,
        IfNoneMatch: '*',
      })
      return presign(client, command, bound)
    }
    async function stored(key: string) {
      const { client, target } = scene()
      return statusOf(client.send(new HeadObjectCommand({ Bucket: target.bucket, Key: key })))
    }

    it('creates its object once', async () => {
      const key = scene().newKey()
      const url = await signPut(key)
      expect((await sendRaw(url, { method: 'PUT', headers, body })).status).toBe(200)
      const again = await sendRaw(url, { method: 'PUT', headers, body })
      expect([again.status, again.code]).toEqual([412, 'PreconditionFailed'])
    })

    it.each(tamperings)('is refused with $what', async ({ url = (same: string) => same, request = {} }) => {
      const key = scene().newKey()
      const answer = await sendRaw(url(await signPut(key)), { method: 'PUT', headers, body, ...request })
      expect(answer.status).toBe(403)
      expect(await stored(key)).toBe(404)
    })

    it('is refused after its expiry', async () => {
      const { client, target, newKey } = scene()
      const command = new GetObjectCommand({ Bucket: target.bucket, Key: newKey() })
      const answer = await sendRaw(await presign(client, command, [], new Date(Date.now() - 120_000)))
      expect([answer.status, answer.code]).toEqual([403, 'AccessDenied'])
    })

    it('to read cannot be used to write, delete or list', async () => {
      const { client, target, newKey } = scene()
      const url = await presign(client, new GetObjectCommand({ Bucket: target.bucket, Key: newKey() }))
      for (const method of ['PUT', 'DELETE', 'POST']) {
        expect((await sendRaw(url, { method, headers: { 'content-length': '0' } })).status).toBe(403)
      }
      expect((await sendRaw(url.replace(/\/[^/?]*\?/, '?'))).status).toBe(403)
    })
  })

  it('is required for every request', async () => {
    const { target, newKey } = scene()
    const bucket = `${target.endpoint}/${target.bucket}`
    for (const [method, url] of [
      ['GET', `${bucket}/${newKey()}`],
      ['HEAD', `${bucket}/${newKey()}`],
      ['PUT', `${bucket}/${newKey()}`],
      ['DELETE', `${bucket}/${newKey()}`],
      ['GET', bucket],
      ['GET', `${bucket}?cors`],
      ['PUT', `${bucket}?cors`],
      ['POST', `${bucket}?delete`],
    ] as const) {
      expect([method, (await sendRaw(url, { method, headers: { 'content-length': '0' } })).status]).toEqual([
        method,
        403,
      ])
    }
  })
}

import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BucketOptions } from '../bucketAddress.ts'
import { createUrlSigner } from './signUrl.ts'

/**
 * The reference. Its one difference is undone: the SDK's serializer adds `x-id=GetObject` to the query, which says which
 * SDK operation this is, means nothing to a store, and would be signed along. It is taken out before the signature.
 */
function createReferenceClient(options: BucketOptions): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken } = options
  const client = new S3Client({
    endpoint: options.publicEndpoint ?? options.endpoint,
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { query: Record<string, string> }
      delete request.query['x-id']
      return next(args)
    },
    { step: 'build', name: 'withoutOperationName' },
  )
  return client
}

const endpoint = fc.constantFrom(
  'http://127.0.0.1:4001',
  'http://[::1]:9000',
  'http://localhost:9000',
  'https://s3.example.com',
  'https://s3.example.com:443',
  'http://s3.example.com:80/',
  'https://account.r2.example.com:8443/base',
)
const anyOptions: fc.Arbitrary<BucketOptions> = fc.record({
  endpoint,
  publicEndpoint: fc.option(endpoint, { nil: undefined }),
  region: fc.constantFrom('auto', 'us-east-1', 'eu-central-1'),
  bucket: fc.constantFrom('files', 'my-files', 'a.b.example', 'some.files.example', 'Files_1'),
  accessKeyId: fc.stringMatching(/^[A-Z0-9]{4,20}$/),
  secretAccessKey: fc.stringMatching(/^[ -~]{8,40}$/).filter((secret) => secret.trim() === secret),
  sessionToken: fc.option(fc.base64String({ minLength: 4 }), { nil: undefined }),
  forcePathStyle: fc.boolean(),
})
/** The SDK makes an invalid URL of a dotted bucket before an IP address; there is nothing to compare with. */
const someOptions = anyOptions.filter(
  (options) =>
    options.forcePathStyle ||
    !(options.bucket.includes('.') && /127|::1/.test(options.publicEndpoint ?? options.endpoint)),
)
const trickyText = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom('Résumé “final” 你好 100% 🎉.pdf', `it's (a) "test"! * ~.txt`, 'a+b c&d=e?f#g;h', '%2F%25'),
)
const key = fc
  .array(
    trickyText.map((text) => text.replaceAll('/', '')),
    { minLength: 1, maxLength: 4 },
  )
  .map((segments) => segments.join('/'))
  .filter((text) => !/^$|^\/|(^|\/)\.{0,2}(\/|$)/.test(text))
const moment = fc.record({
  now: fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
  expiresInSeconds: fc.integer({ min: 1, max: 604_800 }),
})
const contentType = fc.constantFrom(
  'text/plain',
  'text/plain;  charset=utf-8',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'image/svg+xml',
  'x/y; a="b c"',
)
const download = fc
  .record({ key, contentType, contentDisposition: trickyText })
  .chain((rest) => moment.map((when) => ({ ...rest, ...when })))

describe('download URLs', () => {
  it('equal those of the AWS SDK, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(someOptions, download, async (options, wanted) => {
        const command = new GetObjectCommand({
          Bucket: options.bucket,
          Key: wanted.key,
          ResponseCacheControl: 'private, no-store',
          ResponseContentDisposition: wanted.contentDisposition,
          ResponseContentEncoding: 'identity',
          ResponseContentLanguage: 'und',
          ResponseContentType: wanted.contentType,
          ResponseExpires: new Date(0),
        })
        const reference = await getSignedUrl(createReferenceClient(options), command, {
          expiresIn: wanted.expiresInSeconds,
          signingDate: wanted.now,
        })
        expect(createUrlSigner(options).signDownload(wanted)).toBe(reference)
      }),
      { numRuns: 200, seed: 7 },
    )
  })
})

const options: BucketOptions = {
  endpoint: 'http://10.0.0.7:9000',
  region: 'auto',
  bucket: 'files',
  accessKeyId: 'AKEXAMPLE',
  secretAccessKey: 'not-so-secret',
  forcePathStyle: true,
  publicEndpoint: 'https://bytes.example.com',
}
const now = new Date('2026-11-21T23:59:59.999Z')
const someUpload = {
  key: 'org/1/files/2.pdf',
  contentType: 'application/pdf',
  byteSize: 12,
  expiresInSeconds: 600,
  now,
}
const someDownload = {
  key: 'org/1/files/2.pdf',
  contentDisposition: 'attachment; filename="a.pdf"',
  contentType: 'application/pdf',
  expiresInSeconds: 600,
  now,
}
const signaturePart = ['X-Amz-Algorithm', 'X-Amz-Content-Sha256', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires']
const namesOf = (url: string) => [...new URL(url).searchParams.keys()]

const uploadPart = [...signaturePart, 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'x-id'].toSorted()
const signedHeaders = (url: string) => new URL(url).searchParams.get('X-Amz-SignedHeaders')

describe('an upload URL', () => {
  it('binds content-length, content-type, host and if-none-match, and has no parameter of its own', async () => {
    const { url } = await createUrlSigner(options).signUpload(someUpload)
    expect(signedHeaders(url)).toBe('content-length;content-type;host;if-none-match')
    expect(namesOf(url).toSorted()).toEqual(uploadPart)
  })

  it('binds a declared SHA-256 as a header, never as a parameter', async () => {
    const sha256 = 'ab'.repeat(32)
    const { url, headers } = await createUrlSigner(options).signUpload({ ...someUpload, sha256 })
    expect(signedHeaders(url)).toBe('content-length;content-type;host;if-none-match;x-amz-checksum-sha256')
    expect(namesOf(url).toSorted()).toEqual(uploadPart)
    expect(headers).toContainEqual({
      name: 'x-amz-checksum-sha256',
      value: Buffer.from(sha256, 'hex').toString('base64'),
    })
  })

  it('signs a type without surrounding spaces, as a store reads the header', async () => {
    const sign = async (type: string) =>
      (await createUrlSigner(options).signUpload({ ...someUpload, contentType: type })).url
    expect(await sign(' text/plain; \t charset=utf-8\t')).toBe(await sign('text/plain; charset=utf-8'))
  })

  it('has the headers that a browser may set, and no others', async () => {
    expect((await createUrlSigner(options).signUpload(someUpload)).method).toBe('PUT')
    expect((await createUrlSigner(options).signUpload(someUpload)).headers).toEqual([
      { name: 'content-type', value: 'application/pdf' },
      { name: 'if-none-match', value: '*' },
    ])
  })

  it('differs when any signed value differs', async () => {
    const signer = createUrlSigner(options)
    const changes = [
      {},
      { key: 'org/1/files/3.pdf' },
      { contentType: 'text/html' },
      { byteSize: 13 },
      { sha256: 'ab'.repeat(32) },
      { sha256: 'cd'.repeat(32) },
      { expiresInSeconds: 601 },
      { now: new Date('2026-11-22T00:00:00Z') },
    ]
    const signed = await Promise.all(changes.map((change) => signer.signUpload({ ...someUpload, ...change })))
    const signatures = signed.map(({ url }) => new URL(url).searchParams.get('X-Amz-Signature'))
    expect(new Set(signatures).size).toBe(changes.length)
  })

  it('uses the address for clients, and the given time', async () => {
    const { url } = await createUrlSigner(options).signUpload(someUpload)
    expect(url.startsWith('https://bytes.example.com/files/org/1/files/2.pdf?')).toBe(true)
    expect(new URL(url).searchParams.get('X-Amz-Date')).toBe('20261121T235959Z')
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('600')
  })

  it('is refused for a size, checksum, expiry or type that no request can have', async () => {
    const sign = createUrlSigner(options).signUpload
    for (const byteSize of [-1, 1.5, Number.NaN, 2 ** 53]) {
      await expect(sign({ ...someUpload, byteSize })).rejects.toThrow(RangeError)
    }
    for (const expiresInSeconds of [0, -1, 1.5, 604_801]) {
      await expect(sign({ ...someUpload, expiresInSeconds })).rejects.toThrow(RangeError)
    }
    for (const sha256 of ['ab', `${'ab'.repeat(32)}a`, `a${'ab'.repeat(32)}`, 'xy'.repeat(32)]) {
      await expect(sign({ ...someUpload, sha256 })).rejects.toThrow(RangeError)
    }
    await expect(sign({ ...someUpload, contentType: 'a/b\r\nx: y' })).rejects.toThrow(RangeError)
  })
})

describe('a download URL', () => {
  it('signs only the host, and overrides every header that an upload could have stored', () => {
    const url = createUrlSigner(options).signDownload(someDownload)
    expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toBe('host')
    const overrides = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type']
      .concat('expires')
      .map((name) => `response-${name}`)
    expect(namesOf(url)).toEqual([...signaturePart, 'X-Amz-Signature', 'X-Amz-SignedHeaders', ...overrides])
  })

  it('uses the address for clients', () => {
    const url = createUrlSigner(options).signDownload(someDownload)
    expect(url.startsWith('https://bytes.example.com/files/org/1/files/2.pdf?')).toBe(true)
  })

  it('contains the session token of temporary credentials', () => {
    const url = createUrlSigner({ ...options, sessionToken: 'tok/en+=' }).signDownload(someDownload)
    expect(new URL(url).searchParams.get('X-Amz-Security-Token')).toBe('tok/en+=')
  })

  it('depends on its own second and day, not on the last signed one', () => {
    const signer = createUrlSigner(options)
    for (const time of [
      '2026-11-21T23:59:59Z',
      '2026-11-22T00:00:00Z',
      '2026-11-21T23:59:59.9Z',
      '2026-11-22T00:00:01Z',
    ]) {
      const wanted = { ...someDownload, now: new Date(time) }
      expect(signer.signDownload(wanted)).toBe(createUrlSigner(options).signDownload(wanted))
    }
  })
})

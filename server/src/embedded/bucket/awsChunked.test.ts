import { createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import { GetObjectCommand, PutObjectCommand, UploadPartCommand, CreateMultipartUploadCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, sendRaw, statusOf } from '../../storage/contract/testing/s3Requests.ts'
import { decodeAwsChunked } from './awsChunked.ts'
import { openTestBucket, type TestBucket } from './testing/openTestBucket.ts'
import { sha256Hex, signHeaders } from './testing/signHeaders.ts'

let bucket: TestBucket
beforeAll(async () => {
  bucket = await openTestBucket()
})
afterAll(async () => {
  await bucket.dispose()
  expect(bucket.bugs).toEqual([])
})

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()

describe('a body in chunks', () => {
  it('is verified as in the example of the S3 documentation', async () => {
    const scope = '20130524/us-east-1/s3/aws4_request'
    const secret = Buffer.from('AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')
    const proved = {
      source: 'header',
      payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      time: '20130524T000000Z',
      scope,
      signingKey: scope.split('/').reduce(hmac, secret),
      signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    } as const
    const wire = Buffer.from(
      `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${'a'.repeat(65_536)}\r\n` +
        `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${'a'.repeat(1024)}\r\n` +
        `0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n`,
    )
    const pieces = (size: number) =>
      Readable.from(
        Array.from({ length: Math.ceil(wire.length / size) }, (_, n) => wire.subarray(n * size, (n + 1) * size)),
      )
    for (const size of [1000, 65_537, wire.length]) {
      const chunks = (await Readable.from(decodeAwsChunked(pieces(size), proved).payload).toArray()) as Buffer[]
      expect(Buffer.concat(chunks).toString()).toBe('a'.repeat(66_560))
    }
  })

  it.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)(
    'arrives complete from a stream of the SDK (%s)',
    async (mode) => {
      const client = createClient(bucket.target, mode)
      const place = { Bucket: 'files', Key: `stream-${mode}` }
      const parts = [Buffer.alloc(70_000, 'a'), Buffer.alloc(1, 'b'), Buffer.alloc(200_000, 'c')]
      const ContentLength = 270_001
      await client.send(
        new PutObjectCommand({ ...place, Body: Readable.from(parts), ContentLength, ContentEncoding: 'gzip' }),
      )
      const answer = await client.send(new GetObjectCommand(place))
      expect(answer.ContentEncoding).toBe('gzip')
      expect(Buffer.concat(parts).equals(await answer.Body!.transformToByteArray())).toBe(true)

      const { UploadId } = await client.send(new CreateMultipartUploadCommand(place))
      const part = new UploadPartCommand({
        ...place,
        UploadId,
        PartNumber: 1,
        Body: Readable.from(parts),
        ContentLength,
      })
      expect(await statusOf(client.send(part))).toBe(200)
      client.destroy()
    },
  )

  interface Framing {
    readonly form: string
    readonly content: string
    readonly trailer?: string
    readonly change?: (wire: string) => string
    readonly declared?: number
  }

  async function send(key: string, { form, content, trailer, change = (wire) => wire, declared }: Framing) {
    const length = String(declared ?? content.length)
    const signed = signHeaders(bucket.target, {
      method: 'PUT',
      key,
      payloadHash: form,
      time: new Date(),
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': length,
        ...(trailer !== undefined && { 'x-amz-trailer': 'x-amz-checksum-crc32' }),
      },
    })
    const body = change(frame(signed, { form, content, trailer }))
    const { status, code } = await sendRaw(signed.url, { method: 'PUT', headers: signed.headers, body })
    const { url, headers } = signHeaders(bucket.target, {
      method: 'GET',
      key,
      payloadHash: sha256Hex(''),
      time: new Date(),
    })
    const stored = await sendRaw(url, { headers })
    return { status, code, stored: stored.status === 200 ? stored.text : undefined }
  }

  function frame(
    signed: ReturnType<typeof signHeaders>,
    { form, content, trailer }: Pick<Framing, 'form' | 'content'> & { trailer: string | undefined },
  ) {
    let previous = signed.signature
    const isSigned = form.includes('HMAC')
    const link = (kind: string, rest: string) => {
      previous = hmac(
        signed.signingKey,
        [`AWS4-HMAC-SHA256-${kind}`, signed.amzDate, signed.scope, previous, rest].join('\n'),
      ).toString('hex')
      return previous
    }
    const header = (data: string) => {
      const size = data.length.toString(16)
      return isSigned ? `${size};chunk-signature=${link('PAYLOAD', `${sha256Hex('')}\n${sha256Hex(data)}`)}` : size
    }
    const pieces = [content.slice(0, 5), content.slice(5)]
    const chunks = pieces.map((data) => `${header(data)}\r\n${data}\r\n`).join('')
    const last = `${header('')}\r\n`
    if (trailer === undefined) return `${chunks}${last}\r\n`
    const line = `x-amz-checksum-crc32:${trailer}`
    const signature = isSigned ? `x-amz-trailer-signature:${link('TRAILER', sha256Hex(`${line}\n`))}\r\n` : ''
    return `${chunks}${last}${line}\r\n${signature}\r\n`
  }

  const content = 'hello world'
  const checksum = (text: string) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(crc32(text))
    return bytes.toString('base64')
  }
  const plain = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
  const trailed = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
  const unsigned = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'

  it.each([
    ['signed', { form: plain, content }],
    ['signed, with a trailer', { form: trailed, content, trailer: checksum(content) }],
    ['unsigned, with a trailer', { form: unsigned, content, trailer: checksum(content) }],
  ])('is accepted if it is %s', async (what, framing) => {
    expect(await send(`good-${what.replaceAll(/\W/g, '')}`, framing)).toEqual({
      status: 200,
      code: undefined,
      stored: content,
    })
  })

  it.each<[string, Framing, string]>([
    [
      'a changed byte',
      { form: plain, content, change: (wire) => wire.replace('world', 'w0rld') },
      'SignatureDoesNotMatch',
    ],
    ['chunks in another order', { form: plain, content: 'aaaaabbbbb', change: swapChunks }, 'SignatureDoesNotMatch'],
    [
      'its end cut off',
      { form: plain, content, change: (wire) => wire.slice(0, wire.indexOf('\r\n0;') + 2) },
      'IncompleteBody',
    ],
    ['something behind its end', { form: plain, content, change: (wire) => `${wire}more` }, 'InvalidRequest'],
    ['another length than declared', { form: plain, content, declared: 10 }, 'IncompleteBody'],
    ['less than declared', { form: plain, content, declared: 12 }, 'IncompleteBody'],
    ['a wrong checksum', { form: trailed, content, trailer: checksum('other') }, 'BadDigest'],
    ['a wrong checksum, unsigned', { form: unsigned, content, trailer: checksum('other') }, 'BadDigest'],
    [
      'a changed trailer',
      {
        form: trailed,
        content,
        trailer: checksum(content),
        change: (wire) => wire.replace(/(crc32:).{6}/, '$1AAAAAA'),
      },
      'SignatureDoesNotMatch',
    ],
    [
      'the promised trailer left out',
      {
        form: unsigned,
        content,
        trailer: checksum(content),
        change: (wire) => wire.replace(/x-amz-checksum.*\r\n/, ''),
      },
      'InvalidRequest',
    ],
    ['no chunks at all', { form: plain, content, change: () => content }, 'IncompleteBody'],
  ])('with %s is refused, and nothing is stored', async (what, framing, code) => {
    const answer = await send(`bad-${what.replaceAll(/\W/g, '')}`, framing)
    expect(answer).toEqual({ status: code === 'SignatureDoesNotMatch' ? 403 : 400, code, stored: undefined })
  })
})

/** Of a body of two chunks of five bytes. */
function swapChunks(wire: string): string {
  const [, first = '', second = '', rest = ''] = /^(5;.*\r\n.{5}\r\n)(5;.*\r\n.{5}\r\n)(.*)$/s.exec(wire) ?? []
  return second + first + rest
}

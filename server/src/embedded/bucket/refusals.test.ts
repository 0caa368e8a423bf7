import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCorsCommand,
  DeleteObjectsCommand,
  GetBucketCorsCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { presign, sendRaw, statusOf } from '../../storage/contract/testing/s3Requests.ts'
import { startLocalBucket } from './startLocalBucket.ts'
import { account, useTestBucket } from './testing/openTestBucket.ts'
import { sha256Hex, signHeaders } from './testing/signHeaders.ts'

const Bucket = account.bucket
const scene = useTestBucket()

/** Any method and any subresource, signed by the SDK. */
async function ask(method: string, subresource: string, body = '', key = '') {
  const [name, value = ''] = subresource.split('=')
  const command = new GetObjectCommand({ Bucket, Key: 'x' })
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { method: string; path: string; query: Record<string, string> }
      request.method = method
      request.path = `/${Bucket}${key && `/${key}`}`
      request.query = { [name!]: value }
      return next(args)
    },
    { step: 'build' },
  )
  const url = await presign(scene.client, command)
  return sendRaw(url, { method, body, headers: { 'content-length': String(Buffer.byteLength(body)) } })
}

describe('the bucket', () => {
  it('exists, belongs to the caller, and is the only one', async () => {
    expect(await statusOf(scene.client.send(new HeadBucketCommand({ Bucket })))).toBe(200)
    expect(await statusOf(scene.client.send(new CreateBucketCommand({ Bucket })))).toBe(200)
    expect((await scene.client.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name)).toEqual([Bucket])
    expect((await scene.client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined()
    expect((await scene.client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined()
    await expect(scene.client.send(new CreateBucketCommand({ Bucket: 'another' }))).rejects.toMatchObject({
      name: 'TooManyBuckets',
    })
    await expect(scene.client.send(new ListObjectsV2Command({ Bucket: 'another' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    })
    expect(await statusOf(scene.client.send(new PutObjectCommand({ Bucket: 'another', Key: 'a', Body: 'a' })))).toBe(
      404,
    )
  })

  it('cannot have an invalid name', async () => {
    for (const name of ['..', 'a/b', '', 'UPPER', 'ab', '.abc']) {
      await expect(startLocalBucket({ ...account, bucket: name, directory: scene.bucket.directory })).rejects.toThrow(
        RangeError,
      )
    }
  })

  it('supports the older listing too', async () => {
    for (const Key of ['v1/a', 'v1/b/c', 'v1/d'])
      await scene.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    const first = await scene.client.send(new ListObjectsCommand({ Bucket, Prefix: 'v1/', Delimiter: '/', MaxKeys: 2 }))
    expect([first.IsTruncated, first.NextMarker]).toEqual([true, 'v1/b/'])
    const rest = await scene.client.send(
      new ListObjectsCommand({ Bucket, Prefix: 'v1/', Delimiter: '/', Marker: first.NextMarker }),
    )
    expect([rest.Contents?.map(({ Key }) => Key), rest.IsTruncated]).toEqual([['v1/d'], false])
  })
})

describe('every answer', () => {
  it('has a request id, which an error repeats, and an error repeats only input of the caller', async () => {
    const url = await presign(scene.client, new GetObjectCommand({ Bucket, Key: 'missing &<key>' }))
    const { headers, text } = await sendRaw(url)
    const id = headers['x-amz-request-id']
    expect(id).toMatch(/^[0-9A-F]{16}$/)
    expect(text).toContain(`<RequestId>${String(id)}</RequestId>`)
    expect(text).toContain('<Key>missing &amp;&lt;key&gt;</Key>')
    expect(text).not.toContain(scene.bucket.directory)
    expect(text).not.toContain('X-Amz-Signature')
    expect(headers['content-type']).toBe('application/xml')
  })
})

describe('a feature of S3 that this bucket lacks', () => {
  it.each(['acl', 'policy', 'tagging', 'versions', 'lifecycle', 'website', 'object-lock', 'versionId=7'])(
    'is refused and not mistaken for another: ?%s',
    async (subresource) => {
      expect(await ask('GET', subresource, '', 'a')).toMatchObject({ status: 501, code: 'NotImplemented' })
    },
  )

  it('is refused as a header as well', async () => {
    const headers: [Record<string, string>, string][] = [
      [{ 'x-amz-server-side-encryption': 'AES256' }, 'NotImplemented'],
      [{ 'x-amz-tagging': 'a=b' }, 'NotImplemented'],
      [{ 'x-amz-acl': 'public-read' }, 'AccessControlListNotSupported'],
      [{ 'x-amz-storage-class': 'GLACIER' }, 'InvalidStorageClass'],
      [{ 'if-none-match': '"abc"' }, 'NotImplemented'],
    ]
    for (const [one, code] of headers) {
      const signed = signHeaders(scene.bucket.target, {
        method: 'PUT',
        key: 'a',
        headers: one,
        payloadHash: sha256Hex('a'),
        time: new Date(),
      })
      expect(await sendRaw(signed.url, { method: 'PUT', headers: signed.headers, body: 'a' })).toMatchObject({ code })
    }
  })

  it('is refused as a method', async () => {
    expect(await ask('PATCH', 'x', '', 'a')).toMatchObject({ status: 405 })
    expect(await ask('POST', 'x', '', 'a')).toMatchObject({ status: 501 })
    expect(await ask('DELETE', 'x')).toMatchObject({ status: 405 })
  })
})

describe('a key', () => {
  it('has at most 1,024 bytes', async () => {
    const put = (Key: string) => statusOf(scene.client.send(new PutObjectCommand({ Bucket, Key, Body: Key })))
    expect([await put('é'.repeat(512)), await put(`${'é'.repeat(512)}x`)]).toEqual([200, 400])
  })

  it('is UTF-8', async () => {
    for (const path of ['%ff', '%', '%c3%28', '%ed%a0%80']) {
      expect(await sendRaw(`${scene.bucket.target.endpoint}/files/${path}`)).toMatchObject({
        status: 400,
        code: 'InvalidURI',
      })
    }
  })

  it('can contain characters that XML cannot represent', async () => {
    const Key = 'control/\u0001\u0008\u001f\u007f'
    await scene.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    const { Contents } = await scene.client.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'control/', EncodingType: 'url' }),
    )
    expect(Contents?.map((object) => decodeURIComponent(object.Key!))).toEqual([Key])
  })
})

describe('an excess', () => {
  it('of metadata is refused', async () => {
    const put = (length: number) =>
      scene.client.send(new PutObjectCommand({ Bucket, Key: 'm', Body: 'x', Metadata: { a: 'x'.repeat(length) } }))
    expect(await statusOf(put(2047))).toBe(200)
    await expect(put(2048)).rejects.toMatchObject({ name: 'MetadataTooLarge' })
  })

  it('of 5 GiB in an object is refused before a byte is sent', async () => {
    const size = String(5 * 1024 ** 3 + 1)
    const headers = { 'content-length': size, expect: '100-continue' }
    const signed = signHeaders(scene.bucket.target, {
      method: 'PUT',
      key: 'huge',
      payloadHash: 'UNSIGNED-PAYLOAD',
      time: new Date(),
    })
    async function* nothing() {}
    const sent = sendRaw(signed.url, { method: 'PUT', headers: { ...signed.headers, ...headers }, body: nothing() })
    expect(await sent.catch(() => undefined)).toMatchObject({ status: 400, code: 'EntityTooLarge' })
  })

  it('of a thousand keys to delete is refused', async () => {
    const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: String(index) }))
    await expect(scene.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).rejects.toMatchObject({
      name: 'MalformedXML',
    })
  })
})

describe('a document', () => {
  const cors = (rule: string) => `<CORSConfiguration>${rule}</CORSConfiguration>`
  const origin = (text: string) =>
    cors(`<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>${text}</AllowedOrigin></CORSRule>`)

  it('can contain comments, attributes, references and CDATA', async () => {
    const xml = `<?xml version="1.0"?>\n<!-- a -->\n${origin('http://a&amp;b&#x2e;<![CDATA[c]]>')}\n`
    expect((await ask('PUT', 'cors', xml.replace('<CORSRule>', '<CORSRule a="b">'))).status).toBe(200)
    const { CORSRules } = await scene.client.send(new GetBucketCorsCommand({ Bucket }))
    expect(CORSRules?.[0]?.AllowedOrigins).toEqual(['http://a&b.c'])
    await scene.client.send(new DeleteBucketCorsCommand({ Bucket }))
  })

  it.each([
    ['nothing', ''],
    ['an open end', '<CORSConfiguration>'],
    ['another end', '<CORSConfiguration></Other>'],
    ['another root', '<Other/>'],
    ['two roots', `${origin('a')}${origin('a')}`],
    ['text behind its end', `${origin('a')}b`],
    ['a rule without origins', cors('<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>')],
    ['an entity', `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${origin('&b;')}`],
    ['an unknown entity', origin('&b;')],
    ['half a character', origin('&#xd800;')],
    ['great depth', '<a>'.repeat(100_000)],
  ])('is refused with %s', async (_, body) => {
    expect(await ask('PUT', 'cors', body)).toMatchObject({ status: 400, code: 'MalformedXML' })
  })

  it('with keys to delete needs a digest', async () => {
    const body = '<Delete><Object><Key>a</Key></Object></Delete>'
    expect(await ask('POST', 'delete', body)).toMatchObject({ status: 400, code: 'InvalidRequest' })
  })

  it('reports each key that could not be deleted', async () => {
    const Objects = [{ Key: 'gone' }, { Key: 'x'.repeat(1025) }, { Key: 'v', VersionId: '7' }]
    const { Deleted, Errors } = await scene.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['gone'])
    expect(Errors?.map(({ Code }) => Code)).toEqual(['KeyTooLongError', 'NoSuchVersion'])
  })
})

describe('an upload id', () => {
  it('finds its upload only under its key', async () => {
    const { UploadId } = await scene.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'a' }))
    const send = (Key: string, id: string) =>
      statusOf(scene.client.send(new UploadPartCommand({ Bucket, Key, UploadId: id, PartNumber: 1, Body: 'x' })))
    expect(await send('a', UploadId!)).toBe(200)
    for (const id of [`./${UploadId}`, `x/../${UploadId}`, `${UploadId}/`]) expect(await send('a', id)).toBe(404)
    expect(await send('b', UploadId!)).toBe(404)
  })

  it('that does not exist is refused', async () => {
    for (const UploadId of ['..', '../../files', 'a'.repeat(32), '0'.repeat(32), '%00']) {
      const place = { Bucket, Key: 'a', UploadId }
      expect(await statusOf(scene.client.send(new UploadPartCommand({ ...place, PartNumber: 1, Body: 'x' })))).toBe(404)
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: 'x' }] }
      expect(await statusOf(scene.client.send(new CompleteMultipartUploadCommand({ ...place, MultipartUpload })))).toBe(
        404,
      )
    }
    expect(await statusOf(scene.client.send(new HeadObjectCommand({ Bucket, Key: 'a' })))).toBe(404)
  })
})

describe('a response header', () => {
  it('that HTTP cannot carry is refused', async () => {
    await scene.client.send(new PutObjectCommand({ Bucket, Key: 'label', Body: 'x' }))
    for (const ResponseContentDisposition of ['attachment; filename="你.txt"', 'a\r\nset-cookie: b=c', 'a\0']) {
      const url = await presign(
        scene.client,
        new GetObjectCommand({ Bucket, Key: 'label', ResponseContentDisposition }),
      )
      expect(await sendRaw(url)).toMatchObject({ status: 400, code: 'InvalidArgument' })
    }
  })
})

import { createHash } from 'node:crypto'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type GetObjectCommandInput,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCeph } from './testing/isCeph.ts'
import { createClient, presign, sendRaw, statusOf, type S3Scene } from './testing/s3Requests.ts'
import { trickyKeys } from './testing/trickyKeys.ts'

const text = 'The quick brown fox'

export function describeObjects(scene: () => S3Scene): void {
  const put = (Key: string, Body: string | Buffer = text, more = {}) => {
    const { client, target } = scene()
    return client.send(new PutObjectCommand({ Bucket: target.bucket, Key, Body, ...more }))
  }
  const get = async (Key: string, more: Partial<GetObjectCommandInput> = {}) => {
    const { client, target } = scene()
    const answer = await client.send(new GetObjectCommand({ Bucket: target.bucket, Key, ...more }))
    return { ...answer, text: (await answer.Body?.transformToString()) ?? '' }
  }
  const remove = (Key: string) => scene().client.send(new DeleteObjectCommand({ Bucket: scene().target.bucket, Key }))

  describe('an object', () => {
    it('is returned under any key, byte for byte, with any checksum of the SDK', async () => {
      const clients = (['WHEN_REQUIRED', 'WHEN_SUPPORTED'] as const).map((mode) => createClient(scene().target, mode))
      const bytes = fc.uint8Array({ maxLength: 200 })
      await fc.assert(
        fc.asyncProperty(trickyKeys, bytes, fc.constantFrom(...clients), async (name, content, client) => {
          const place = { Bucket: scene().target.bucket, Key: `${scene().prefix}any/${name}` }
          await client.send(new PutObjectCommand({ ...place, Body: content }))
          const answer = await client.send(new GetObjectCommand(place))
          expect(Buffer.from(await answer.Body!.transformToByteArray())).toEqual(Buffer.from(content))
          expect(answer.ETag).toBe(`"${createHash('md5').update(content).digest('hex')}"`)
          await client.send(new DeleteObjectCommand(place))
          expect(await statusOf(client.send(new HeadObjectCommand(place)))).toBe(404)
        }),
        { numRuns: 60 },
      )
      for (const client of clients) client.destroy()
    })

    it('and another whose key is one more path segment can both exist', async () => {
      const key = scene().newKey()
      const keys = [key, `${key}/`, `${key}//`, `${key}/a`, `${key}/./a`, `${key}/../a`, `${key}/A`]
      for (const one of keys) await put(one, one)
      for (const one of keys) expect((await get(one)).text).toBe(one)
    })

    it('keeps its headers and metadata', async () => {
      const key = scene().newKey()
      await put(key, text, {
        ContentType: 'text/plain; charset=utf-8',
        CacheControl: 'no-store',
        ContentDisposition: 'attachment; filename="a.txt"',
        ContentEncoding: 'identity',
        Metadata: { colour: 'green', 'two-words': 'a b' },
      })
      expect(await get(key)).toMatchObject({
        ContentType: 'text/plain; charset=utf-8',
        CacheControl: 'no-store',
        ContentDisposition: 'attachment; filename="a.txt"',
        ContentEncoding: 'identity',
        Metadata: { colour: 'green', 'two-words': 'a b' },
        ContentLength: text.length,
      })
    })

    it('can be empty', async () => {
      const key = scene().newKey()
      await put(key, '')
      expect(await get(key)).toMatchObject({ text: '', ContentLength: 0 })
    })

    it('is created by exactly one of many concurrent requests', async () => {
      const key = scene().newKey()
      const tries = Array.from({ length: 20 }, (_, index) => statusOf(put(key, `try ${index}`, { IfNoneMatch: '*' })))
      const statuses = await Promise.all(tries)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect(new Set(statuses)).toEqual(new Set([200, 412]))
      expect((await get(key)).text).toBe(`try ${statuses.indexOf(200)}`)
    })

    it('is gone after it was deleted, once or twice', async () => {
      const key = scene().newKey()
      await put(key)
      await remove(key)
      await remove(key)
      expect(await statusOf(get(key))).toBe(404)
    })

    it('can be deleted with a thousand others, existing or not', async () => {
      const { client, target, newKey } = scene()
      const kept = newKey()
      const lost = [newKey(), `${newKey()} &<>"'é🎉`]
      for (const key of [kept, ...lost]) await put(key)
      const Objects = [...lost, ...Array.from({ length: 998 }, newKey)].map((Key) => ({ Key }))
      const answer = await client.send(
        new DeleteObjectsCommand({ Bucket: target.bucket, Delete: { Objects, Quiet: true } }),
      )
      expect([answer.Errors ?? [], answer.Deleted ?? []]).toEqual([[], []])
      expect(await Promise.all(lost.map((key) => statusOf(get(key))))).toEqual([404, 404])
      expect((await get(kept)).text).toBe(text)
    })

    it('can be copied, with its own headers or new ones', async () => {
      const { client, target, newKey } = scene()
      const [source, same, other] = [`${newKey()} +é`, newKey(), newKey()]
      await put(source, text, { ContentType: 'text/x-a', Metadata: { a: '1' } })
      const CopySource = `${target.bucket}/${encodeURIComponent(source)}`
      const copy = { Bucket: target.bucket, CopySource }
      await client.send(new CopyObjectCommand({ ...copy, Key: same }))
      await client.send(
        new CopyObjectCommand({ ...copy, Key: other, MetadataDirective: 'REPLACE', ContentType: 'text/x-b' }),
      )
      expect(await get(same)).toMatchObject({ text, ContentType: 'text/x-a', Metadata: { a: '1' } })
      expect(await get(other)).toMatchObject({ text, ContentType: 'text/x-b', Metadata: {} })
      const unwanted = new CopyObjectCommand({ ...copy, Key: newKey(), CopySourceIfMatch: '"0"' })
      // Ceph copies whatever the condition says; we copy nothing.
      expect(await statusOf(client.send(unwanted))).toBe(isCeph ? 200 : 412)
    })
  })

  describe('a read', () => {
    it.each([
      ['bytes=0-2', 206, 'The', 'bytes 0-2/19'],
      ['bytes=4-8', 206, 'quick', 'bytes 4-8/19'],
      ['bytes=16-', 206, 'fox', 'bytes 16-18/19'],
      ['bytes=-3', 206, 'fox', 'bytes 16-18/19'],
      ['bytes=-100', 206, text, 'bytes 0-18/19'],
      ['bytes=16-1000', 206, 'fox', 'bytes 16-18/19'],
    ])('of the range %s answers %i with exactly that range', async (Range, status, part, contentRange) => {
      const key = scene().newKey()
      await put(key)
      const answer = await get(key, { Range })
      expect([answer.$metadata.httpStatusCode, answer.text, answer.ContentRange]).toEqual([status, part, contentRange])
    })

    it('after the end is refused', async () => {
      const { client, target, newKey } = scene()
      const key = newKey()
      await put(key)
      const url = await presign(client, new GetObjectCommand({ Bucket: target.bucket, Key: key }))
      for (const range of ['bytes=19-', 'bytes=100-200']) {
        expect(await sendRaw(url, { headers: { range } })).toMatchObject({ status: 416, code: 'InvalidRange' })
      }
    })

    it('is answered according to its conditions', async () => {
      const key = scene().newKey()
      await put(key)
      const { ETag, LastModified } = await get(key)
      const [past, future] = [new Date(Date.now() - 86_400_000), new Date(Date.now() + 86_400_000)]
      const conditions: [Partial<GetObjectCommandInput>, number][] = [
        [{ IfMatch: ETag }, 200],
        [{ IfMatch: '"0"' }, 412],
        [{ IfNoneMatch: '"0"' }, 200],
        [{ IfNoneMatch: ETag }, 304],
        [{ IfModifiedSince: past }, 200],
        [{ IfModifiedSince: LastModified }, 304],
        [{ IfUnmodifiedSince: LastModified }, 200],
        [{ IfUnmodifiedSince: past }, 412],
        [{ IfUnmodifiedSince: future }, 200],
        [{ IfMatch: ETag, IfUnmodifiedSince: past }, 200],
        [{ IfNoneMatch: '"0"', IfModifiedSince: future }, 200],
      ]
      for (const [condition, status] of conditions) {
        expect([condition, await statusOf(get(key, condition))]).toEqual([condition, status])
      }
    })

    it('has the response headers that the signer chose', async () => {
      const { client, target, newKey } = scene()
      const key = newKey()
      await put(key, text, { ContentType: 'text/html' })
      const command = new GetObjectCommand({
        Bucket: target.bucket,
        Key: key,
        ResponseContentType: 'text/plain',
        ResponseContentDisposition: `attachment; filename="a.txt"; filename*=UTF-8''%C3%A9%22.txt`,
      })
      const { headers } = await sendRaw(await presign(client, command))
      expect(headers['content-type']).toBe('text/plain')
      expect(headers['content-disposition']).toBe(`attachment; filename="a.txt"; filename*=UTF-8''%C3%A9%22.txt`)
    })
  })
}

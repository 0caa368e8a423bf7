import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type CreateMultipartUploadCommandInput,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { isCeph } from './testing/isCeph.ts'
import { statusOf, type S3Scene } from './testing/s3Requests.ts'

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest()
const large = Buffer.alloc(5 * 1024 * 1024, 'five mebibytes ')
const small = Buffer.from('and a rest')

export function describeMultipart(scene: () => S3Scene): void {
  async function begin(more: Partial<CreateMultipartUploadCommandInput> = {}) {
    const { client, target, newKey } = scene()
    const place = { Bucket: target.bucket, Key: newKey() }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ...more }))
    const upload = { ...place, UploadId: UploadId! }
    const send = (PartNumber: number, Body: Buffer) =>
      client.send(new UploadPartCommand({ ...upload, PartNumber, Body }))
    const complete = (Parts: CompletedPart[], options = {}) =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...options }))
    return { place, upload, send, complete }
  }

  describe('a multipart upload', () => {
    it('becomes one object, with the headers of its start', async () => {
      const { client } = scene()
      const { place, send, complete } = await begin({ ContentType: 'text/x-parts', Metadata: { a: '1' } })
      // In whichever order they come.
      const second = await send(7, small)
      const first = await send(2, large)
      expect(await statusOf(client.send(new HeadObjectCommand(place)))).toBe(404)
      await complete([
        { PartNumber: 2, ETag: first.ETag! },
        { PartNumber: 7, ETag: second.ETag! },
      ])
      const answer = await client.send(new GetObjectCommand(place))
      expect(answer).toMatchObject({ ContentType: 'text/x-parts', Metadata: { a: '1' } })
      expect(answer.ETag).toBe(`"${md5(Buffer.concat([md5(large), md5(small)])).toString('hex')}-2"`)
      const bytes = Buffer.from(await answer.Body!.transformToByteArray())
      expect(bytes.equals(Buffer.concat([large, small]))).toBe(true)
    })

    it('lists its parts in pages, a repeated part as it was sent last', async () => {
      const { client } = scene()
      const { upload, send } = await begin()
      for (const number of [3, 1, 2, 10_000]) await send(number, Buffer.from(`part ${number}`))
      await send(2, small)
      const first = await client.send(new ListPartsCommand({ ...upload, MaxParts: 2 }))
      expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
        [1, 6],
        [2, small.length],
      ])
      expect(first.IsTruncated).toBe(true)
      const rest = await client.send(new ListPartsCommand({ ...upload, PartNumberMarker: first.NextPartNumberMarker }))
      expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3, 10_000])
      expect(rest.IsTruncated).toBe(false)
      await client.send(new AbortMultipartUploadCommand(upload))
    })

    it('is listed until it is aborted, and then accepts no more parts', async () => {
      const { client, target } = scene()
      const { place, upload, send, complete } = await begin()
      const { ETag } = await send(1, small)
      const listed = async () => {
        const { Uploads = [] } = await client.send(
          new ListMultipartUploadsCommand({ Bucket: target.bucket, Prefix: place.Key }),
        )
        return Uploads.map(({ Key, UploadId }) => [Key, UploadId])
      }
      expect(await listed()).toEqual([[place.Key, upload.UploadId]])
      await client.send(new AbortMultipartUploadCommand(upload))
      expect(await listed()).toEqual([])
      expect(await statusOf(send(2, small))).toBe(404)
      // Ceph loses its way and answers 500: refused all the same.
      expect(await statusOf(complete([{ PartNumber: 1, ETag: ETag! }]))).toBe(isCeph ? 500 : 404)
    })

    it('is refused if parts are missing, wrong, out of order or too small', async () => {
      const { client } = scene()
      const { place, upload, send, complete } = await begin()
      const [one, two] = [(await send(1, small)).ETag!, (await send(2, small)).ETag!]
      const refusals: [CompletedPart[], string][] = [
        [[{ PartNumber: 3, ETag: one }], 'InvalidPart'],
        [[{ PartNumber: 1, ETag: '"00000000000000000000000000000000"' }], 'InvalidPart'],
        [
          [
            { PartNumber: 2, ETag: two },
            { PartNumber: 1, ETag: one },
          ],
          // Ceph looks at the sizes first.
          isCeph ? 'EntityTooSmall' : 'InvalidPartOrder',
        ],
        [
          [
            { PartNumber: 1, ETag: one },
            { PartNumber: 2, ETag: two },
          ],
          'EntityTooSmall',
        ],
      ]
      for (const [parts, code] of refusals) await expect(complete(parts)).rejects.toMatchObject({ name: code })
      expect(await statusOf(client.send(new HeadObjectCommand(place)))).toBe(404)
      await client.send(new AbortMultipartUploadCommand(upload))
    })

    it('with the condition to create keeps an existing object, and can still be aborted', async () => {
      const { client } = scene()
      const { place, upload, send, complete } = await begin()
      const { ETag } = await send(1, small)
      await client.send(new PutObjectCommand({ ...place, Body: 'first' }))
      const completed = await statusOf(complete([{ PartNumber: 1, ETag: ETag! }], { IfNoneMatch: '*' }))
      const answer = await client.send(new GetObjectCommand(place))
      const kept = await answer.Body!.transformToString()
      // Ceph overwrites: create-only holds for its plain PUT alone, which is all that upload addresses are.
      expect([completed, kept]).toEqual(isCeph ? [200, small.toString()] : [412, 'first'])
      if (!isCeph) await client.send(new AbortMultipartUploadCommand(upload))
    })
  })
}

import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createClient, statusOf } from '../../storage/contract/testing/s3Requests.ts'
import { account, openTestBucket, type TestBucket } from './testing/openTestBucket.ts'

let bucket: TestBucket
let client: S3Client
let time = Date.now()
const Bucket = account.bucket
beforeAll(async () => {
  bucket = await openTestBucket({ now: () => new Date(time) })
  client = createClient(bucket.target)
})
afterAll(async () => {
  client.destroy()
  await bucket.dispose()
  expect(bucket.bugs).toEqual([])
})

const list = (input: Partial<ListMultipartUploadsCommandInput> = {}) =>
  client.send(new ListMultipartUploadsCommand({ Bucket, EncodingType: 'url', ...input }))
const begin = async (Key: string) => (await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId!
const keysOf = async (input: Partial<ListMultipartUploadsCommandInput> = {}) =>
  ((await list(input)).Uploads ?? []).map(({ Key }) => decodeURIComponent(Key!))

describe('the list of unfinished uploads', () => {
  afterEach(async () => {
    for (const { Key = '', UploadId } of (await list()).Uploads ?? []) {
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key: decodeURIComponent(Key), UploadId }))
    }
  })

  it('skips only the key of the marker, even if a longer key continues with a NUL', async () => {
    // In the order of UTF-8 bytes; in UTF-16 the emoji would stand before the full-width tilde.
    const keys = ['a', 'a\u0000', 'a\u0000b', 'a!', '～', '🎉']
    for (const key of [...keys].reverse()) await begin(key)
    expect(await keysOf()).toEqual(keys)
    for (const [index, KeyMarker] of keys.entries()) expect(await keysOf({ KeyMarker })).toEqual(keys.slice(index + 1))
  })

  it('lists the uploads of one key in the order of their start, and continues after one of them', async () => {
    const ids: string[] = []
    for (let begun = 0; begun < 5; begun += 1) {
      time += 1
      ids.push(await begin('k'))
    }
    const listed = async (input = {}) => ((await list(input)).Uploads ?? []).map(({ UploadId }) => UploadId)
    expect(await listed()).toEqual(ids)
    expect(await listed({ KeyMarker: 'k', UploadIdMarker: ids[1] })).toEqual(ids.slice(2))
    expect(await listed({ KeyMarker: 'k' })).toEqual([])
    expect(await listed({ UploadIdMarker: ids[3] })).toEqual(ids)
  })

  it('reports where the next page begins, escaped on request', async () => {
    for (const key of ['a b', 'é&']) await begin(key)
    expect(await list({ MaxUploads: 1 })).toMatchObject({
      IsTruncated: true,
      MaxUploads: 1,
      NextKeyMarker: 'a%20b',
      EncodingType: 'url',
    })
    const plain = await list({ EncodingType: undefined, KeyMarker: 'a b' })
    expect(plain).toMatchObject({ IsTruncated: false, KeyMarker: 'a b', Uploads: [{ Key: 'é&' }] })
    expect(plain).not.toHaveProperty('EncodingType')
    expect(plain).not.toHaveProperty('NextKeyMarker')
  })

  it('refuses an empty page, an unknown encoding and a delimiter', async () => {
    expect(await statusOf(list({ MaxUploads: 0 }))).toBe(400)
    expect(await statusOf(list({ MaxUploads: -1 }))).toBe(400)
    expect(await statusOf(list({ EncodingType: 'base64' as 'url' }))).toBe(400)
    expect(await statusOf(list({ Delimiter: '/' }))).toBe(501)
  })
})

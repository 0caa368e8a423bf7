import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3'
import type {
  BlobStore,
  DatedObject,
  DeleteOutcome,
  ListOptions,
  ListPage,
  ReadOptions,
  UnfinishedUploadsPage,
  UploadMarker,
} from '../blobStore.ts'
import type { BucketOptions } from '../bucketAddress.ts'
import { createUrlSigner } from '../signing/signUrl.ts'
import { examineObject, hashObject, type ObjectReader } from './examineObject.ts'
import { readStartOf, writeObject } from './objectBodies.ts'
import { createPlainRequests, type PlainRequests } from './plainRequests.ts'
import { readDatedObject, readDeleteOutcome, readListPage, readUploadsPage } from './readS3Answer.ts'
import { createS3Client, usualPatience, type S3Patience } from './s3Client.ts'
import { describeFailure, unavailable } from './s3Failure.ts'

const maxKeysPerRequest = 1_000

/** The blob store for any S3-compatible bucket. Opens no connection before its first request. */
export function createS3BlobStore(options: BucketOptions, patience: S3Patience = usualPatience): BlobStore {
  const client = createS3Client(options, patience)
  const plain = createPlainRequests(options, patience)
  const { bucket } = options
  const reader = { client, plain, bucket }
  const signer = createUrlSigner(options)
  return {
    head: (key, how = {}) => head(reader, key, how),
    examine: (key, expected, how = {}) => examineObject(reader, key, expected, how),
    readStart: (key, maxBytes) => readStart(client, bucket, key, maxBytes),
    hash: (key, how = {}) => hashObject(reader, key, how),
    delete: (keys) => deleteObjects(client, bucket, keys),
    list: (page) => listObjects(client, plain, bucket, page),
    write: (key, content, how) => writeObject(reader, key, content, how),
    listUnfinishedUploads: (prefix, marker, maxUploads) =>
      listUnfinishedUploads(client, bucket, { prefix, marker, maxUploads }),
    abortUpload: (key, uploadId) => abortUpload(client, bucket, key, uploadId),
    signUpload: signer.signUpload,
    signDownload: signer.signDownload,
    ping: () => ping(client, bucket),
    close: () => {
      client.destroy()
      plain.close()
    },
  }
}

async function head(
  { client, plain, bucket }: ObjectReader,
  key: string,
  how: ReadOptions,
): Promise<DatedObject | null> {
  try {
    const stored = await plain.head(key, how)
    if (stored) return stored
    if (stored === undefined) {
      const command = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' })
      return readDatedObject(await client.send(command))
    }
  } catch (error) {
    if (describeFailure(error).status !== 404) throw unavailable('HEAD', error)
  }
  // The response to a HEAD has no body, so a missing object and a missing bucket look the same. A mistake here would
  // report lost files.
  if (!(await plain.ping())) await ping(client, bucket)
  return null
}

async function readStart(client: S3Client, bucket: string, key: string, maxBytes: number): Promise<Uint8Array | null> {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) throw new RangeError(`Cannot read ${maxBytes} bytes`)
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=0-${maxBytes - 1}` })
    return await readStartOf(await client.send(command), maxBytes)
  } catch (error) {
    const { code, status } = describeFailure(error)
    if (code === 'NoSuchKey') return null
    // An empty object has no first byte, so the range does not exist.
    if (status === 416) return new Uint8Array(0)
    throw unavailable('GET', error)
  }
}

async function deleteObjects(client: S3Client, bucket: string, keys: readonly string[]): Promise<DeleteOutcome> {
  if (keys.length === 0) return { failed: [] }
  if (keys.length > maxKeysPerRequest) throw new RangeError(`Cannot delete ${keys.length} objects at once`)
  try {
    const Objects = keys.map((key) => ({ Key: key }))
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: false } })
    return readDeleteOutcome(await client.send(command), keys)
  } catch (error) {
    throw unavailable('DeleteObjects', error)
  }
}

async function listObjects(
  client: S3Client,
  plain: PlainRequests,
  bucket: string,
  page: ListOptions,
): Promise<ListPage> {
  const maxKeys = page.maxKeys ?? maxKeysPerRequest
  if (!Number.isInteger(maxKeys) || maxKeys < 1 || maxKeys > maxKeysPerRequest) {
    throw new RangeError(`Cannot list ${maxKeys} keys at once`)
  }
  try {
    const listing = await plain.list(page, maxKeys)
    if (listing) return readListPage(listing, bucket, page)
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: page.prefix,
      MaxKeys: maxKeys,
      // A key can contain characters that XML cannot represent.
      EncodingType: 'url',
      ...whereToBegin(page),
    })
    return readListPage(await client.send(command), bucket, page)
  } catch (error) {
    throw unavailable('ListObjectsV2', error)
  }
}

function whereToBegin({ continuationToken, startAfter }: ListOptions) {
  if (continuationToken !== undefined) return { ContinuationToken: continuationToken }
  return startAfter === undefined || startAfter === '' ? {} : { StartAfter: startAfter }
}

async function ping(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }))
  } catch (error) {
    throw unavailable('HeadBucket', error)
  }
}

const maxUploadsPerPage = 1_000

interface UploadsToList {
  readonly prefix: string
  readonly marker: UploadMarker | null | undefined
  readonly maxUploads: number | undefined
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
async function listUnfinishedUploads(
  client: S3Client,
  bucket: string,
  asked: UploadsToList,
): Promise<UnfinishedUploadsPage> {
  const { prefix, marker, maxUploads = maxUploadsPerPage } = asked
  if (!Number.isInteger(maxUploads) || maxUploads < 1 || maxUploads > maxUploadsPerPage) {
    throw new RangeError(`Cannot list ${maxUploads} uploads at once`)
  }
  try {
    const command = new ListMultipartUploadsCommand({
      Bucket: bucket,
      Prefix: prefix,
      MaxUploads: maxUploads,
      // A key can contain characters that XML cannot represent.
      EncodingType: 'url',
      ...(marker && { KeyMarker: marker.key, UploadIdMarker: marker.uploadId }),
    })
    return readUploadsPage(await client.send(command), bucket, asked)
  } catch (error) {
    throw unavailable('ListMultipartUploads', error)
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
async function abortUpload(client: S3Client, bucket: string, key: string, uploadId: string): Promise<void> {
  try {
    const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })
    const { httpStatusCode } = (await client.send(command)).$metadata
    // A 200 is a web page or an error. The SDK does not check the status.
    if (httpStatusCode !== 204) throw new Error(`AbortMultipartUpload was answered with ${httpStatusCode}`)
  } catch (error) {
    if (describeFailure(error).code !== 'NoSuchUpload') throw unavailable('AbortMultipartUpload', error)
  }
}

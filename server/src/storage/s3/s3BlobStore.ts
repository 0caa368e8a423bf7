import {
  DeleteObjectsCommand,
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
import { type BucketReader, createBucketReader } from './bucketReader.ts'
import { examineObject, hashObject, readStart } from './examineObject.ts'
import { readDeleteOutcome, readUploadsPage } from './readS3Answer.ts'
import { createS3Client, usualPatience, type S3Patience } from './s3Client.ts'
import { describeFailure, unavailable } from './s3Failure.ts'
import { writeObject } from './writeObject.ts'

const maxKeysPerRequest = 1_000

/** The blob store for any S3-compatible bucket. Opens no connection before its first request. */
export function createS3BlobStore(options: BucketOptions, patience: S3Patience = usualPatience): BlobStore {
  const client = createS3Client(options, patience)
  const reader = createBucketReader(options, patience)
  const { bucket } = options
  const signer = createUrlSigner(options)
  return {
    head: (key, how = {}) => head(reader, key, how),
    examine: (key, expected, how = {}) => examineObject(reader, key, expected, how),
    readStart: (key, maxBytes) => readStart(reader, key, maxBytes),
    hash: (key, how = {}) => hashObject(reader, key, how),
    delete: (keys) => deleteObjects(client, bucket, keys),
    list: (page) => listObjects(reader, page),
    write: (key, content, how) => writeObject({ client, bucket }, key, content, how),
    listUnfinishedUploads: (prefix, marker, maxUploads) =>
      listUnfinishedUploads(client, bucket, { prefix, marker, maxUploads }),
    abortUpload: (key, uploadId) => abortUpload(client, bucket, key, uploadId),
    signUpload: signer.signUpload,
    signDownload: signer.signDownload,
    ping: () => ping(reader),
    close: () => {
      client.destroy()
      reader.close()
    },
  }
}

async function head(reader: BucketReader, key: string, how: ReadOptions): Promise<DatedObject | null> {
  let stored
  try {
    stored = await reader.head(key, how)
  } catch (error) {
    throw unavailable('HEAD', error)
  }
  // The response to a HEAD has no body, so a missing object and a missing bucket look the same. A mistake here would
  // report lost files.
  if (!stored) await ping(reader)
  return stored
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

async function listObjects(reader: BucketReader, page: ListOptions): Promise<ListPage> {
  const maxKeys = page.maxKeys ?? maxKeysPerRequest
  if (!Number.isInteger(maxKeys) || maxKeys < 1 || maxKeys > maxKeysPerRequest) {
    throw new RangeError(`Cannot list ${maxKeys} keys at once`)
  }
  try {
    return await reader.list(page, maxKeys)
  } catch (error) {
    throw unavailable('ListObjectsV2', error)
  }
}

async function ping(reader: BucketReader): Promise<void> {
  try {
    await reader.ping()
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

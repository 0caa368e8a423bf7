import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import type { UnfinishedUploadsPage, UploadMarker } from './blobStore.ts'
import { readUploadsPage } from './readS3Answer.ts'
import { describeFailure, unavailable } from './s3Failure.ts'

const maxUploadsPerPage = 1_000

interface UploadsToList {
  readonly prefix: string
  readonly marker: UploadMarker | null | undefined
  readonly maxUploads: number | undefined
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export async function listUnfinishedUploads(
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
      // A key may hold characters that XML cannot.
      EncodingType: 'url',
      ...(marker && { KeyMarker: marker.key, UploadIdMarker: marker.uploadId }),
    })
    return readUploadsPage(await client.send(command), bucket, asked)
  } catch (error) {
    throw unavailable('ListMultipartUploads', error)
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export async function abortUpload(client: S3Client, bucket: string, key: string, uploadId: string): Promise<void> {
  try {
    const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })
    const { httpStatusCode } = (await client.send(command)).$metadata
    // A 200 is the start of a page or of an error; the SDK looks at neither.
    if (httpStatusCode !== 204) throw new Error(`AbortMultipartUpload was answered with ${httpStatusCode}`)
  } catch (error) {
    if (describeFailure(error).code !== 'NoSuchUpload') throw unavailable('AbortMultipartUpload', error)
  }
}

import { hash } from 'node:crypto'
import type {
  DeleteObjectsCommandOutput,
  GetObjectCommandOutput,
  HeadObjectCommandOutput,
  ListMultipartUploadsCommandOutput,
  ListObjectsV2CommandOutput,
  MultipartUpload,
  _Object,
} from '@aws-sdk/client-s3'
import type {
  DatedObject,
  DeleteOutcome,
  ExaminedObject,
  ListOptions,
  ListPage,
  StoredObject,
  UnfinishedUploadsPage,
  UploadMarker,
} from '../blobStore.ts'

/** Each of these functions throws if the response lacks a required field. */
export function readStoredObject(output: HeadObjectCommandOutput): StoredObject {
  const { ContentLength, ETag } = output
  if (ContentLength === undefined || ETag === undefined) throw new Error('HEAD told no size or no ETag')
  return { byteSize: ContentLength, etag: bareEtag(ETag), ...readLabels(output), sha256: wholeSha256(output) }
}

export const readLabels = ({
  ContentType = '',
  ContentEncoding,
}: Pick<HeadObjectCommandOutput, 'ContentType' | 'ContentEncoding'>) => ({
  contentType: ContentType,
  contentEncoding: readEncoding(ContentEncoding),
})

/** Some stores keep `aws-chunked`, which describes the transfer of the PUT body, not the object. */
function readEncoding(header: string | undefined): string | null {
  const codings = (header ?? '').split(',').map((coding) => coding.trim().toLowerCase())
  return codings.filter((coding) => !['', 'identity', 'aws-chunked'].includes(coding)).join(', ') || null
}

/** The metadata key under which an object names the installation that wrote it. */
export const installationMetadata = 'filegraph-installation'

export function readDatedObject(output: HeadObjectCommandOutput): DatedObject {
  const { LastModified, Metadata } = output
  const isDate = LastModified !== undefined && !Number.isNaN(LastModified.getTime())
  return {
    ...readStoredObject(output),
    lastModified: isDate ? LastModified : null,
    installation: Metadata?.[installationMetadata] ?? null,
  }
}

/** The response to a GET of an object or a range, and the bytes that were read. */
export interface ObjectPart {
  readonly head: Pick<
    GetObjectCommandOutput,
    | 'ContentLength'
    | 'ContentRange'
    | 'ContentType'
    | 'ContentEncoding'
    | 'ETag'
    | 'ServerSideEncryption'
    | 'SSECustomerAlgorithm'
  >
  readonly bytes: Uint8Array
}

/**
 * Ignores the checksums of the response. For a range they can be those of a part. If all bytes were read, they are
 * hashed here.
 */
export function readExaminedObject({ head, bytes }: ObjectPart, startBytes: number): ExaminedObject {
  const { byteSize, etag } = readPartHead(head, 0)
  if (bytes.byteLength < Math.min(byteSize, startBytes)) throw new Error('Fewer bytes came than were asked for')
  const isWhole = bytes.byteLength === byteSize
  const sha256 = isWhole ? hash('sha256', bytes) : null
  const isEtagOfBytes = isWhole && hasMd5Etag(head) ? etag === hash('md5', bytes) : null
  const start = Uint8Array.from(bytes.subarray(0, startBytes))
  return { byteSize, etag, ...readLabels(head), sha256, isEtagOfBytes, start }
}

/** The size of the whole object and its ETag. Throws if the response does not begin at `offset`. */
export function readPartHead(head: ObjectPart['head'], offset: number): { byteSize: number; etag: string } {
  const { ETag, ContentLength, ContentRange } = head
  const byteSize = ContentRange === undefined ? wholeLength(ContentLength, offset) : sizeInRange(ContentRange, offset)
  if (byteSize === undefined || !ETag) throw new Error('GET told no size or no ETag')
  return { byteSize, etag: bareEtag(ETag) }
}

const wholeLength = (length: number | undefined, offset: number) => (offset === 0 ? length : undefined)

function sizeInRange(contentRange: string, offset: number): number | undefined {
  const [, from, size] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(contentRange) ?? []
  return Number(from) === offset ? Number(size) : undefined
}

/** True if the ETag has the form of an MD5 and no header says that it is something else. */
export function hasMd5Etag({ ETag = '', ServerSideEncryption, SSECustomerAlgorithm }: ObjectPart['head']): boolean {
  if (SSECustomerAlgorithm !== undefined || ServerSideEncryption?.startsWith('aws:kms')) return false
  return /^[0-9a-f]{32}$/.test(bareEtag(ETag))
}

/** Throws for a response with status 200 and no ETag. It is an error body, or a page of another server. */
export function refuseWithoutEtag({ ETag }: { readonly ETag?: string | undefined }): void {
  if (!ETag) throw new Error('The store named no ETag')
}

/**
 * The whole-object SHA-256. A multipart upload can have a hash of its parts' hashes under the same name, which is
 * ignored.
 */
function wholeSha256({ ChecksumSHA256, ChecksumType }: HeadObjectCommandOutput): string | null {
  if (!ChecksumSHA256 || ChecksumType === 'COMPOSITE') return null
  if (!/^[A-Za-z0-9+/]{43}=$/.test(ChecksumSHA256)) return null
  return Buffer.from(ChecksumSHA256, 'base64').toString('hex')
}

/** Throws if the response does not list every key as deleted or refused. A body without keys is an error body. */
export function readDeleteOutcome(output: DeleteObjectsCommandOutput, keys: readonly string[]): DeleteOutcome {
  const { Deleted, Errors } = output
  if (!Deleted && !Errors) throw new Error('DeleteObjects named no key')
  const gone = new Set(Deleted?.map(({ Key }) => Key))
  const refused = new Map(Errors?.map((error) => [error.Key, error]))
  const failed = []
  for (const key of new Set(keys)) {
    const { Code: code = 'Unconfirmed', Message: message = 'The store did not say what became of it' } =
      refused.get(key) ?? {}
    const isGone = refused.has(key) ? code === 'NoSuchKey' : gone.has(key)
    if (!isGone) failed.push({ key, code, message })
  }
  return { failed }
}

/**
 * Throws for a page that is not a valid listing: one that does not say whether it is the last, that belongs to another
 * bucket or prefix, or that names itself as the next page.
 */
export function readListPage(output: ListObjectsV2CommandOutput, bucket: string, asked: ListOptions): ListPage {
  const { Name, Contents = [], IsTruncated, NextContinuationToken, EncodingType } = output
  if (IsTruncated === undefined) throw new Error('The listing does not say whether it is complete')
  if (Name !== undefined && Name !== bucket) throw new Error('The listing is of another bucket')
  if (IsTruncated && !NextContinuationToken) throw new Error('The listing is cut off and names no next page')
  if (IsTruncated && NextContinuationToken === asked.continuationToken) throw new Error('The listing does not go on')
  const objects = Contents.map((object) => readListedObject(object, EncodingType))
  refuseOtherKeys(objects, asked.prefix)
  return { objects, continuationToken: IsTruncated ? (NextContinuationToken ?? null) : null }
}

function readListedObject({ Key, Size, ETag, LastModified }: _Object, encoding: string | undefined) {
  if (Key === undefined || Size === undefined || ETag === undefined || LastModified === undefined) {
    throw new Error('The listing names an object without its key, size, ETag or time')
  }
  return { key: decodeKey(Key, encoding), byteSize: Size, etag: bareEtag(ETag), lastModified: LastModified }
}

/** As `readListPage`, for unfinished uploads. */
export function readUploadsPage(
  output: ListMultipartUploadsCommandOutput,
  bucket: string,
  asked: { readonly prefix: string; readonly marker: UploadMarker | null | undefined },
): UnfinishedUploadsPage {
  const { Bucket, Uploads = [], IsTruncated, EncodingType } = output
  if (IsTruncated === undefined) throw new Error('The list of uploads does not say whether it is complete')
  if (Bucket !== undefined && Bucket !== bucket) throw new Error('The list of uploads is of another bucket')
  const next = IsTruncated ? readUploadMarker(output) : null
  if (next && next.key === asked.marker?.key && next.uploadId === asked.marker.uploadId) {
    throw new Error('The list of uploads does not go on')
  }
  const uploads = Uploads.map((upload) => readUpload(upload, EncodingType))
  refuseOtherKeys(uploads, asked.prefix)
  return { uploads, next }
}

function readUploadMarker(output: ListMultipartUploadsCommandOutput): UploadMarker {
  const { NextKeyMarker, NextUploadIdMarker, EncodingType } = output
  if (!NextKeyMarker || !NextUploadIdMarker) throw new Error('The list of uploads is cut off and names no next page')
  return { key: decodeKey(NextKeyMarker, EncodingType), uploadId: NextUploadIdMarker }
}

function readUpload({ Key, UploadId, Initiated }: MultipartUpload, encoding: string | undefined) {
  if (!Key || !UploadId || Initiated === undefined) {
    throw new Error('The list of uploads names one without its key, id or time')
  }
  return { key: decodeKey(Key, encoding), uploadId: UploadId, initiated: Initiated }
}

function refuseOtherKeys(listed: readonly { readonly key: string }[], prefix: string): void {
  if (listed.some(({ key }) => !key.startsWith(prefix))) throw new Error('The listing is of another prefix')
}

/** Some stores write a space as `+`, others as `%20`. A plus sign is always `%2B`. */
function decodeKey(key: string, encoding: string | undefined): string {
  return encoding === 'url' ? decodeURIComponent(key.replaceAll('+', '%20')) : key
}

function bareEtag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '')
}

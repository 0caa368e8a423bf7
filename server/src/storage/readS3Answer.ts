import type {
  DeleteObjectsCommandOutput,
  HeadObjectCommandOutput,
  ListObjectsV2CommandOutput,
  _Object,
} from '@aws-sdk/client-s3'
import type { DeleteOutcome, ListPage, StoredObject } from './blobStore.ts'

/** Each of these throws when the answer lacks what it has to tell: half an answer is none. */
export function readStoredObject(output: HeadObjectCommandOutput): StoredObject {
  const { ContentLength, ETag, ContentType = '' } = output
  if (ContentLength === undefined || ETag === undefined) throw new Error('HEAD told no size or no ETag')
  return { byteSize: ContentLength, etag: bareEtag(ETag), contentType: ContentType, sha256: wholeSha256(output) }
}

/** A multipart upload may keep a hash of its parts' hashes under the same name; that one vouches for nothing here. */
function wholeSha256({ ChecksumSHA256, ChecksumType }: HeadObjectCommandOutput): string | null {
  if (!ChecksumSHA256 || ChecksumType === 'COMPOSITE') return null
  if (!/^[A-Za-z0-9+/]{43}=$/.test(ChecksumSHA256)) return null
  return Buffer.from(ChecksumSHA256, 'base64').toString('hex')
}

/** Every key has to be named in the answer, as deleted or as refused: a body that names none is an error body. */
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

/** A page that does not say whether it is the last one, or that is another bucket's, must not pass for a listing. */
export function readListPage(output: ListObjectsV2CommandOutput, bucket: string): ListPage {
  const { Name, Contents = [], IsTruncated, NextContinuationToken, EncodingType } = output
  if (IsTruncated === undefined) throw new Error('The listing does not say whether it is complete')
  if (Name !== undefined && Name !== bucket) throw new Error('The listing is of another bucket')
  if (IsTruncated && !NextContinuationToken) throw new Error('The listing is cut off and names no next page')
  const isEscaped = EncodingType === 'url'
  return {
    objects: Contents.map((object) => readListedObject(object, isEscaped)),
    continuationToken: IsTruncated ? (NextContinuationToken ?? null) : null,
  }
}

function readListedObject({ Key, Size, ETag, LastModified }: _Object, isEscaped: boolean) {
  if (Key === undefined || Size === undefined || ETag === undefined || LastModified === undefined) {
    throw new Error('The listing names an object without its key, size, ETag or time')
  }
  // Some stores write a blank as `+`, others as `%20`; a plus sign itself is always `%2B`.
  const key = isEscaped ? decodeURIComponent(Key.replaceAll('+', '%20')) : Key
  return { key, byteSize: Size, etag: bareEtag(ETag), lastModified: LastModified }
}

function bareEtag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '')
}

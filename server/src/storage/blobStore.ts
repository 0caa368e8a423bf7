/**
 * The bucket, as the rest of the system sees it. One implementation speaks S3 (`s3BlobStore.ts`); every store that it
 * is pointed at has to pass `blobStore.contract.ts`.
 *
 * Keys are object keys without a leading slash. Sizes are bytes and always below 2^53. SHA-256 values are 64 lower-case
 * hex digits. Every method that asks the bucket rejects with `BlobStoreUnavailable` when there is no usable answer
 * (refused connection, time-out, 5xx, 403), never with a half answer.
 */
export interface BlobStore {
  /** The object under a key, or null if there is none. */
  head(key: string, options?: ReadOptions): Promise<DatedObject | null>

  /**
   * The object under a key and its first bytes, in one request; null if there is none. An object of at most 65,536 bytes
   * is read whole and hashed if that size was expected. Of a larger object only the start is read.
   */
  examine(key: string, expected: ExpectedObject, options?: ReadOptions): Promise<ExaminedObject | null>

  /** The first bytes of an object, at most `maxBytes`; empty for an empty object; null if the object does not exist. */
  readStart(key: string, maxBytes: number): Promise<Uint8Array | null>

  /**
   * Reads the whole object in ranges and hashes it, in constant memory for any size. Null if there is no object. Each range
   * is read on the condition that the ETag is still that of the first: rejects with `BlobStoreUnavailable` if not.
   */
  hash(key: string, options?: ReadOptions): Promise<HashedObject | null>

  /** Deletes objects; deleting what is not there succeeds. At most 1,000 keys. Reports each key that the store refused. */
  delete(keys: readonly string[]): Promise<DeleteOutcome>

  /** One page of the keys under a prefix, in UTF-8 byte order. */
  list(options: ListOptions): Promise<ListPage>

  /**
   * Writes a small object of the server's own, such as the marker that names the database of a bucket; what users send
   * goes through `signUpload` alone. At most 65,536 bytes, else a RangeError.
   *
   * With `onlyIf: 'ABSENT'` what lies under the key stays as it is, and the answer is `PRESENT`. A request whose reply
   * was lost is sent again, and then meets what it wrote itself: `PRESENT` says that the object is there, not that
   * somebody else wrote it. Who needs to know reads it back.
   */
  write(key: string, content: Uint8Array, options: WriteOptions): Promise<'WRITTEN' | 'PRESENT'>

  /**
   * One page of the multipart uploads under a prefix that were begun and neither completed nor aborted: those behind the
   * marker, in the store's own order, at most `maxUploads` (1 to 1,000, which is also the default).
   */
  listUnfinishedUploads(
    prefix: string,
    marker?: UploadMarker | null,
    maxUploads?: number,
  ): Promise<UnfinishedUploadsPage>

  /** Drops an unfinished upload and the parts that arrived. One that is not there, or no longer, is aborted already. */
  abortUpload(key: string, uploadId: string): Promise<void>

  /** A URL that can create the object once, and nothing else. Signed locally, without a round trip. */
  signUpload(upload: UploadToSign): Promise<SignedUpload>

  /** A URL that reads the object. Signed locally, without a round trip. */
  signDownload(download: DownloadToSign): string

  /** Resolves when the bucket answers and the credentials are accepted; rejects with `BlobStoreUnavailable`. */
  ping(): Promise<void>

  /** Closes open connections. */
  close(): void
}

export interface ReadOptions {
  /** Uses a connection of its own, to confirm an answer that could have been damaged on its way. */
  readonly onNewConnection?: boolean
}

export interface StoredObject {
  readonly byteSize: number
  /** Without quotes. */
  readonly etag: string
  /** As stored; empty if the store keeps none. */
  readonly contentType: string
  /**
   * The `content-encoding` stored with the object, in lower case; null if there is none. `identity` and `aws-chunked` count
   * as none: neither changes what a reader gets. A client can store one with a signed PUT, because nobody signed its absence.
   */
  readonly contentEncoding: string | null
  /** What the store itself vouches for, or null when it keeps no SHA-256 of the whole object. */
  readonly sha256: string | null
}

/** What a HEAD returns beyond that. */
export interface DatedObject extends StoredObject {
  /** By the clock of the store. Null where it does not say. */
  readonly lastModified: Date | null
  /** The installation that wrote the object through `write`. Null for what a client uploaded. */
  readonly installation: string | null
}

/** It says how to ask, and nothing about the answer: what is found may have another size. */
export interface ExpectedObject {
  readonly byteSize: number
  /** How many of the first bytes are wanted: 1 to 65,536, else a RangeError. */
  readonly startBytes: number
}

export interface ExaminedObject extends StoredObject {
  /** Computed from the bytes, not reported by the store; null if not all of them were read. */
  readonly sha256: string | null
  readonly isEtagOfBytes: EtagComparison
  /** The first bytes; fewer than asked for only if the object is shorter. */
  readonly start: Uint8Array
}

/** An object that was read whole. */
export interface HashedObject extends Omit<StoredObject, 'sha256'> {
  /** Computed from the bytes. */
  readonly sha256: string
  readonly isEtagOfBytes: EtagComparison
}

/**
 * Whether the ETag is the MD5 of the bytes that were read. True proves that they are those that the store received. Null if
 * that cannot be told: not all bytes were read, or the ETag is not an MD5 (multipart uploads, encryption with SSE-KMS or
 * SSE-C). See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
export type EtagComparison = boolean | null

export interface UploadToSign {
  readonly key: string
  readonly contentType: string
  readonly byteSize: number
  /** Bound into the signature when given. */
  readonly sha256?: string | undefined
  readonly expiresInSeconds: number
  readonly now: Date
}

/** A request that a client can send as it is: `fetch(url, { method, headers, body })`. */
export interface SignedUpload {
  readonly method: 'PUT'
  readonly url: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

export interface DownloadToSign {
  readonly key: string
  /** Sent back by the store as `content-disposition`. */
  readonly contentDisposition: string
  /** Sent back by the store as `content-type`. */
  readonly contentType: string
  readonly expiresInSeconds: number
  readonly now: Date
}

export interface ListOptions {
  readonly prefix: string
  /** At most 1,000, which is also the default. */
  readonly maxKeys?: number
  readonly continuationToken?: string | undefined
  /** Begins with the first key strictly behind this one, there or not. Ignored when a continuation token is given. */
  readonly startAfter?: string | undefined
}

export interface ListPage {
  readonly objects: readonly {
    readonly key: string
    readonly byteSize: number
    readonly etag: string
    readonly lastModified: Date
  }[]
  /** Null on the last page. */
  readonly continuationToken: string | null
}

export interface WriteOptions {
  readonly contentType: string
  /** Without it, whatever lies under the key is replaced. */
  readonly onlyIf?: 'ABSENT'
  /** The installation that writes it, kept as `x-amz-meta-filegraph-installation`. */
  readonly installation?: string
}

/** A multipart upload that was begun and neither completed nor aborted. */
export interface UnfinishedUpload {
  readonly key: string
  readonly uploadId: string
  /** By the clock of the store. */
  readonly initiated: Date
}

export interface UnfinishedUploadsPage {
  readonly uploads: readonly UnfinishedUpload[]
  /** Null on the last page. */
  readonly next: UploadMarker | null
}

/** The upload that a page of unfinished uploads ended with. */
export interface UploadMarker {
  readonly key: string
  readonly uploadId: string
}

export interface DeleteOutcome {
  readonly failed: readonly { readonly key: string; readonly code: string; readonly message: string }[]
}

/** The bucket gave no usable answer. The caller may ask again later; nothing is known about the object. */
export class BlobStoreUnavailable extends Error {
  override readonly name = 'BlobStoreUnavailable'
}

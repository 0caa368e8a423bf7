/**
 * The interface to the bucket. `s3BlobStore.ts` implements it over S3. Every supported store must pass
 * `blobStore.contract.ts`.
 *
 * Keys are object keys without a leading slash. Sizes are bytes and always below 2^53. SHA-256 values are 64 lower-case
 * hexadecimal digits. Every method that calls the bucket rejects with `BlobStoreUnavailable` if there is no usable
 * answer (refused connection, time-out, 5xx, 403), and never returns a partial answer.
 */
export interface BlobStore {
  /** The object with this key. Null if it does not exist. */
  head(key: string, options?: ReadOptions): Promise<DatedObject | null>

  /**
   * The object and its first bytes, in one request. Null if it does not exist. If at most 65,536 bytes were expected
   * and the object has no more, it is read whole and hashed. Of a larger object, only the start is read.
   */
  examine(key: string, expected: ExpectedObject, options?: ReadOptions): Promise<ExaminedObject | null>

  /** The first bytes of an object, at most `maxBytes`. Empty for an empty object. Null if the object does not exist. */
  readStart(key: string, maxBytes: number): Promise<Uint8Array | null>

  /**
   * Reads the whole object in ranges and hashes it, in constant memory. Null if the object does not exist. Each range
   * requires the ETag of the first. Rejects with `BlobStoreUnavailable` if the ETag changed.
   */
  hash(key: string, options?: ReadOptions): Promise<HashedObject | null>

  /** Deletes objects. Succeeds for a missing object. At most 1,000 keys. Reports each key that the store refused. */
  delete(keys: readonly string[]): Promise<DeleteOutcome>

  /** One page of the keys under a prefix, in UTF-8 byte order. */
  list(options: ListOptions): Promise<ListPage>

  /**
   * Writes a small object of the server, such as the marker of the database that owns the bucket. Clients write only
   * through `signUpload`. Throws a RangeError above 65,536 bytes.
   *
   * With `onlyIf: 'ABSENT'`, an existing object is kept and the answer is `PRESENT`. If a reply is lost, the request is
   * sent again and finds its own object. `PRESENT` therefore means that the object exists, not that another process
   * wrote it. Read the object to find out.
   */
  write(key: string, content: Uint8Array, options: WriteOptions): Promise<'WRITTEN' | 'PRESENT'>

  /**
   * One page of the unfinished multipart uploads under a prefix, after the marker, in the order of the store.
   * `maxUploads` is 1 to 1,000. Default: 1,000.
   */
  listUnfinishedUploads(
    prefix: string,
    marker?: UploadMarker | null,
    maxUploads?: number,
  ): Promise<UnfinishedUploadsPage>

  /** Aborts an unfinished upload and deletes its parts. Succeeds if the upload does not exist. */
  abortUpload(key: string, uploadId: string): Promise<void>

  /** A URL that can create the object once and allows nothing else. Signed locally, without a round trip. */
  signUpload(upload: UploadToSign): Promise<SignedUpload>

  /** A URL that reads the object. Signed locally, without a round trip. */
  signDownload(download: DownloadToSign): string

  /** Resolves if the bucket answers and accepts the credentials. Rejects with `BlobStoreUnavailable`. */
  ping(): Promise<void>

  /** Closes open connections. */
  close(): void
}

export interface ReadOptions {
  /** Uses a new connection, to confirm an answer that may have been damaged in transit. */
  readonly onNewConnection?: boolean
}

export interface StoredObject {
  readonly byteSize: number
  /** Without quotes. */
  readonly etag: string
  /** As stored; empty if the store keeps none. */
  readonly contentType: string
  /**
   * The `content-encoding` stored with the object, in lower case. Null if there is none. `identity` and `aws-chunked`
   * count as none, because neither changes what a reader gets. A client can store one with a signed PUT, because a
   * signature cannot exclude a header.
   */
  readonly contentEncoding: string | null
  /** The SHA-256 that the store reports. Null if it keeps none of the whole object. */
  readonly sha256: string | null
}

/** The facts of a HEAD response. */
export interface DatedObject extends StoredObject {
  /** By the clock of the store. Null if the store does not report it. */
  readonly lastModified: Date | null
  /** The installation that wrote the object through `write`. Null for what a client uploaded. */
  readonly installation: string | null
}

/** How to ask. The object that is found can have another size. */
export interface ExpectedObject {
  readonly byteSize: number
  /** The number of first bytes to read: 1 to 65,536, otherwise a RangeError. */
  readonly startBytes: number
}

export interface ExaminedObject extends StoredObject {
  /** Computed from the bytes, not reported by the store. Null if not all of them were read. */
  readonly sha256: string | null
  readonly isEtagOfBytes: EtagComparison
  /** The first bytes. Fewer than requested only if the object is shorter. */
  readonly start: Uint8Array
}

/** An object that was read whole. */
export interface HashedObject extends Omit<StoredObject, 'sha256'> {
  /** Computed from the bytes. */
  readonly sha256: string
  readonly isEtagOfBytes: EtagComparison
}

/**
 * Whether the ETag is the MD5 of the bytes that were read. True proves that they are the bytes that the store received.
 * Null if this cannot be decided: not all bytes were read, or the ETag is not an MD5 (multipart uploads, encryption
 * with SSE-KMS or SSE-C). See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
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

/** A request for the client to send: `fetch(url, { method, headers, body })`. */
export interface SignedUpload {
  readonly method: 'PUT'
  readonly url: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

export interface DownloadToSign {
  readonly key: string
  /** The `content-disposition` of the response. */
  readonly contentDisposition: string
  /** The `content-type` of the response. */
  readonly contentType: string
  readonly expiresInSeconds: number
  readonly now: Date
}

export interface ListOptions {
  readonly prefix: string
  /** Default: 1,000. At most 1,000. */
  readonly maxKeys?: number
  readonly continuationToken?: string | undefined
  /** Start with the first key after this one, which need not exist. Ignored with a continuation token. */
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
  /** Without it, an existing object is replaced. */
  readonly onlyIf?: 'ABSENT'
  /** The installation that writes the object, stored as `x-amz-meta-filegraph-installation`. */
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

/** The last upload of a page. */
export interface UploadMarker {
  readonly key: string
  readonly uploadId: string
}

export interface DeleteOutcome {
  readonly failed: readonly { readonly key: string; readonly code: string; readonly message: string }[]
}

/** The bucket gave no usable answer. Nothing is known about the object. The caller may try again later. */
export class BlobStoreUnavailable extends Error {
  override readonly name = 'BlobStoreUnavailable'
}

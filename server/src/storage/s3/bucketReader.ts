import type { IncomingHttpHeaders } from 'node:http'
import type { ServerSideEncryption } from '@aws-sdk/client-s3'
import type { DatedObject, ListOptions, ListPage, ReadOptions } from '../blobStore.ts'
import { escapeUri, type BucketOptions } from '../bucketAddress.ts'
import { readListing } from './readListing.ts'
import { installationMetadata, type ObjectPart, readDatedObject, readListPage } from './readS3Answer.ts'
import type { S3Patience } from './s3Client.ts'
import { storeError } from './s3Failure.ts'
import { type BytesOf, createStoreRequests, type StoreAnswer } from './storeRequests.ts'

/** Reads the objects of one bucket. Rejects if the store gives no usable answer. */
export interface BucketReader {
  /**
   * Null if the store answers 404. A null is not proof of absence: check that the bucket exists before you act on it.
   */
  head(key: string, how: ReadOptions): Promise<DatedObject | null>
  /** Reads at most `bytesOf` bytes of the body, then drops the connection. */
  get(asked: AskedObject, bytesOf: BytesOf): Promise<ObjectAnswer>
  /** Rejects unless the bucket exists and accepts the credentials. */
  ping(): Promise<void>
  list(options: ListOptions, maxKeys: number): Promise<ListPage>
  close(): void
}

export interface AskedObject extends ReadOptions {
  readonly key: string
  /** `bytes=0-99`. Undefined for the whole object. */
  readonly range: string | undefined
  /** Without quotes. The answer is `PreconditionFailed` if the object has another ETag. */
  readonly etag?: string | undefined
  readonly isLong?: boolean
}

/** An object, or the S3 error code that explains its absence. */
export type ObjectAnswer = ObjectPart | 'NoSuchKey' | 'InvalidRange' | 'PreconditionFailed'

export function createBucketReader(options: BucketOptions, patience: S3Patience): BucketReader {
  const requests = createStoreRequests(options, patience)
  return {
    async head(key, how) {
      const answer = await requests.ask({ method: 'HEAD', key, ...how })
      return answer.status === 404 ? null : readHead(refuseErrors(answer))
    },
    async get({ key, range, etag, ...how }, bytesOf) {
      const condition = etag === undefined ? {} : { 'if-match': `"${etag}"` }
      const headers = { ...(range !== undefined && { range }), ...condition }
      return readObject(await requests.ask({ method: 'GET', key, headers, bytesOf, ...how }))
    },
    async ping() {
      refuseErrors(await requests.ask({ method: 'HEAD', key: null }))
    },
    async list(page, maxKeys) {
      const answer = refuseErrors(
        await requests.ask({ method: 'GET', key: null, query: listingQuery(page, maxKeys), isLong: true }),
      )
      return readListPage(readListing(answer.body.toString()), options.bucket, page)
    },
    close: () => requests.close(),
  }
}

function refuseErrors(answer: StoreAnswer): StoreAnswer {
  if (answer.status === 200 || answer.status === 206) return answer
  throw storeError(answer)
}

function readHead({ headers }: StoreAnswer): DatedObject {
  const header = (name: string) => headerText(headers, name)
  const writtenBy = header(`x-amz-meta-${installationMetadata}`)
  return readDatedObject({
    $metadata: {},
    ETag: headers.etag,
    ContentLength: lengthIn(headers),
    ContentType: headers['content-type'],
    ContentEncoding: headers['content-encoding'],
    LastModified: new Date(header('last-modified') ?? Number.NaN),
    ...(writtenBy !== undefined && { Metadata: { [installationMetadata]: writtenBy } }),
    ChecksumSHA256: header('x-amz-checksum-sha256'),
    ChecksumType: header('x-amz-checksum-type') === 'COMPOSITE' ? 'COMPOSITE' : undefined,
  })
}

function readObject(answer: StoreAnswer): ObjectAnswer {
  const { status, headers, body } = answer
  if (status === 416) return 'InvalidRange'
  if (status === 412) return 'PreconditionFailed'
  // A missing bucket is a 404, too.
  if (status === 404 && storeError(answer).name === 'NoSuchKey') return 'NoSuchKey'
  refuseErrors(answer)
  const head = {
    ETag: headers.etag,
    ContentLength: lengthIn(headers),
    ContentRange: headers['content-range'],
    ContentType: headers['content-type'],
    ContentEncoding: headers['content-encoding'],
    ServerSideEncryption: headerText(headers, 'x-amz-server-side-encryption') as ServerSideEncryption | undefined,
    SSECustomerAlgorithm: headerText(headers, 'x-amz-server-side-encryption-customer-algorithm'),
  }
  return { head, bytes: body }
}

const headerText = (headers: IncomingHttpHeaders, name: string): string | undefined =>
  typeof headers[name] === 'string' ? headers[name] : undefined

const lengthIn = ({ 'content-length': length = '' }: IncomingHttpHeaders): number | undefined =>
  /^\d{1,15}$/.test(length) ? Number(length) : undefined

/** In alphabetical order, as the signature requires. */
function listingQuery({ prefix, continuationToken, startAfter }: ListOptions, maxKeys: number): string {
  const goesOn = continuationToken !== undefined
  return [
    goesOn ? `&continuation-token=${escapeUri(continuationToken)}` : '',
    // A key can contain characters that XML cannot represent.
    `&encoding-type=url&list-type=2&max-keys=${maxKeys}&prefix=${escapeUri(prefix)}`,
    goesOn || !startAfter ? '' : `&start-after=${escapeUri(startAfter)}`,
  ].join('')
}

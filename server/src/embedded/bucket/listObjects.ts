import type { Call, Reply } from './bucket.ts'
import { findKeys, type FoundKeys } from './findKeys.ts'
import { afterPrefix, keyBytes, keyOfBytes, type KeyBytes } from './keyFileName.ts'
import { maxKeysPerPage } from './limits.ts'
import { checksumType, quoted, type ObjectRecord } from './objectHeaders.ts'
import { S3Error } from './s3Error.ts'
import { queryValue, type S3Request } from './s3Request.ts'
import { element, xmlDocument, type Xml } from './xml.ts'

interface Listing {
  readonly prefix: string
  readonly delimiter: string
  readonly maxKeys: number
  /** Encodes names as the client asked: plain, or escaped like a URL. */
  readonly encode: (text: string) => string
  readonly encodingType: string | undefined
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export async function listObjectsV2(call: Call): Promise<Reply> {
  const { request } = call
  const listing = readListing(request)
  const token = queryValue(request, 'continuation-token')
  const startAfter = queryValue(request, 'start-after')
  const from = token === undefined ? afterKey(startAfter) : readToken(token)
  const found = await find(call, listing, from)
  const { objects, commonPrefixes, next } = found
  return {
    status: 200,
    body: xmlDocument('ListBucketResult', [
      ...commonElements(call, listing, found),
      element('KeyCount', objects.length + commonPrefixes.length),
      optional('ContinuationToken', token),
      optional('NextContinuationToken', next === undefined ? undefined : writeToken(next)),
      optional('StartAfter', startAfter, listing.encode),
      ...itemElements(listing, found),
    ]),
  }
}

/** The older form of the listing. A page continues after a marker: the last name of the page before. */
export async function listObjectsV1(call: Call): Promise<Reply> {
  const { request } = call
  const listing = readListing(request)
  const marker = queryValue(request, 'marker') ?? ''
  const isPrefix = listing.delimiter !== '' && marker.endsWith(listing.delimiter)
  const found = await find(call, listing, isPrefix ? afterPrefix(keyBytes(marker)) : afterKey(marker))
  const last = [found.objects.at(-1)?.key ?? '', found.commonPrefixes.at(-1) ?? '']
  const nextMarker = keyOfBytes(last.map(keyBytes).sort().at(-1) ?? '')
  return {
    status: 200,
    body: xmlDocument('ListBucketResult', [
      ...commonElements(call, listing, found),
      element('Marker', listing.encode(marker)),
      optional('NextMarker', found.next === undefined ? undefined : nextMarker, listing.encode),
      ...itemElements(listing, found),
    ]),
  }
}

async function find({ bucket }: Call, listing: Listing, from: KeyBytes): Promise<FoundKeys> {
  if (listing.maxKeys === 0) return { objects: [], commonPrefixes: [], next: undefined }
  const { prefix, delimiter, maxKeys } = listing
  return findKeys(bucket.objects.ranges, { prefix: keyBytes(prefix), delimiter: keyBytes(delimiter), from, maxKeys })
}

function readListing(request: S3Request): Listing {
  const encodingType = readEncodingType(request)
  return {
    prefix: queryValue(request, 'prefix') ?? '',
    delimiter: queryValue(request, 'delimiter') ?? '',
    maxKeys: readPageSize(queryValue(request, 'max-keys'), maxKeysPerPage, 'max-keys'),
    encode: encodingType === undefined ? (text) => text : escapeName,
    encodingType,
  }
}

export function readEncodingType(request: S3Request): 'url' | undefined {
  const encodingType = queryValue(request, 'encoding-type')
  if (encodingType === undefined || encodingType === 'url') return encodingType
  throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request')
}

/** A larger number is not an error: the client gets the largest page. */
export function readPageSize(text: string | undefined, largest: number, name: string): number {
  if (text === undefined || text === '') return largest
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2_147_483_647) {
    throw new S3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`)
  }
  return Math.min(Number(text), largest)
}

/** Keeps slashes, as S3 does. */
export function escapeName(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/')
}

function afterKey(key: string | undefined): KeyBytes {
  return key ? `${keyBytes(key)}\0` : ''
}

function writeToken(position: KeyBytes): string {
  return Buffer.from(position, 'latin1').toString('base64url')
}

function readToken(token: string): KeyBytes {
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length === 0 || bytes.toString('base64url') !== token) {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect')
  }
  return bytes.toString('latin1')
}

function commonElements({ bucket }: Call, listing: Listing, found: FoundKeys): (Xml | undefined)[] {
  return [
    element('Name', bucket.name),
    element('Prefix', listing.encode(listing.prefix)),
    optional('Delimiter', listing.delimiter || undefined, listing.encode),
    optional('EncodingType', listing.encodingType),
    element('MaxKeys', listing.maxKeys),
    element('IsTruncated', String(found.next !== undefined)),
  ]
}

function optional(name: string, text: string | undefined, encode = (plain: string) => plain): Xml | undefined {
  return text === undefined ? undefined : element(name, encode(text))
}

function itemElements({ encode }: Listing, { objects, commonPrefixes }: FoundKeys): Xml[] {
  return [
    ...objects.map((record) => objectElement(record, encode)),
    ...commonPrefixes.map((prefix) => element('CommonPrefixes', [element('Prefix', encode(prefix))])),
  ]
}

function objectElement(record: ObjectRecord, encode: (text: string) => string): Xml {
  const algorithms = Object.keys(record.checksums)
  return element('Contents', [
    element('Key', encode(record.key)),
    element('LastModified', new Date(record.modified).toISOString()),
    element('ETag', quoted(record.etag)),
    ...algorithms.map((algorithm) => element('ChecksumAlgorithm', algorithm.toUpperCase())),
    algorithms.length > 0 ? element('ChecksumType', checksumType(record.checksums)) : undefined,
    element('Size', record.size),
    element('StorageClass', 'STANDARD'),
  ])
}

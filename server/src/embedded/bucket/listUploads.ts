import type { Call, Reply } from './bucket.ts'
import { keyBytes, type KeyBytes } from './keyFileName.ts'
import { maxKeysPerPage } from './limits.ts'
import { escapeName, readEncodingType, readPageSize } from './listObjects.ts'
import { requestedUpload } from './multipartUploads.ts'
import { checksumElements, quoted } from './objectHeaders.ts'
import { S3Error } from './s3Error.ts'
import { queryValue, type S3Request } from './s3Request.ts'
import type { Upload } from './uploadStore.ts'
import { element, xmlDocument } from './xml.ts'

/** The position of an upload in the list: by key, then by id. */
interface Place {
  readonly key: KeyBytes
  readonly id: string
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export function listUploads({ bucket, request }: Call): Reply {
  if (queryValue(request, 'delimiter')) throw new S3Error('NotImplemented')
  const prefix = queryValue(request, 'prefix') ?? ''
  const encodingType = readEncodingType(request)
  const encode = encodingType === undefined ? (text: string) => text : escapeName
  const maxUploads = readMaxUploads(request)
  const keyMarker = queryValue(request, 'key-marker') ?? ''
  const idMarker = queryValue(request, 'upload-id-marker') ?? ''
  const waiting = bucket.uploads
    .all()
    .filter(({ key }) => key.startsWith(prefix))
    .map((upload) => ({ upload, place: { key: keyBytes(upload.key), id: upload.id } }))
    .filter(({ place }) => isBehind(place, { key: keyBytes(keyMarker), id: idMarker }))
    .sort((a, b) => comparePlaces(a.place, b.place))
    .map(({ upload }) => upload)
  const uploads = waiting.slice(0, maxUploads)
  const last = uploads.length < waiting.length ? uploads.at(-1) : undefined
  return {
    status: 200,
    body: xmlDocument('ListMultipartUploadsResult', [
      element('Bucket', bucket.name),
      element('KeyMarker', encode(keyMarker)),
      element('UploadIdMarker', idMarker),
      last && element('NextKeyMarker', encode(last.key)),
      last && element('NextUploadIdMarker', last.id),
      element('Prefix', encode(prefix)),
      encodingType === undefined ? undefined : element('EncodingType', encodingType),
      element('MaxUploads', maxUploads),
      element('IsTruncated', String(last !== undefined)),
      ...uploads.map((upload) => uploadElement(upload, encode)),
    ]),
  }
}

/** At least 1: an empty page has no last upload to continue after. */
function readMaxUploads(request: S3Request): number {
  const maxUploads = readPageSize(queryValue(request, 'max-uploads'), maxKeysPerPage, 'max-uploads')
  if (maxUploads === 0) throw new S3Error('InvalidArgument', 'max-uploads must be at least 1')
  return maxUploads
}

/**
 * Without a key marker, an id marker is ignored. A key marker alone skips all uploads of its key. With an id marker, it
 * skips the uploads up to that id.
 */
function isBehind(place: Place, marker: Place): boolean {
  if (marker.id === '') return place.key > marker.key
  return comparePlaces(place, marker) > 0
}

function comparePlaces(a: Place, b: Place): number {
  return compare(a.key, b.key) || compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function uploadElement(upload: Upload, encode: (text: string) => string) {
  return element('Upload', [
    element('Key', encode(upload.key)),
    element('UploadId', upload.id),
    element('Initiated', new Date(upload.initiated).toISOString()),
    element('StorageClass', 'STANDARD'),
    upload.checksum && element('ChecksumAlgorithm', upload.checksum.algorithm.toUpperCase()),
    upload.checksum && element('ChecksumType', upload.checksum.type),
  ])
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export function listParts(call: Call): Reply {
  const { bucket, request } = call
  const upload = requestedUpload(call)
  const maxParts = readPageSize(queryValue(request, 'max-parts'), maxKeysPerPage, 'max-parts')
  const marker = readPageSize(queryValue(request, 'part-number-marker') ?? '0', 2 ** 31, 'part-number-marker')
  const waiting = bucket.uploads.parts(upload).filter(({ number }) => number > marker)
  const parts = waiting.slice(0, maxParts)
  const isTruncated = parts.length < waiting.length
  return {
    status: 200,
    body: xmlDocument('ListPartsResult', [
      element('Bucket', bucket.name),
      element('Key', upload.key),
      element('UploadId', upload.id),
      element('PartNumberMarker', marker),
      isTruncated ? element('NextPartNumberMarker', parts.at(-1)?.number ?? marker) : undefined,
      element('MaxParts', maxParts),
      element('IsTruncated', String(isTruncated)),
      element('StorageClass', 'STANDARD'),
      upload.checksum && element('ChecksumAlgorithm', upload.checksum.algorithm.toUpperCase()),
      upload.checksum && element('ChecksumType', upload.checksum.type),
      ...parts.map((part) =>
        element('Part', [
          element('PartNumber', part.number),
          element('LastModified', new Date(part.modified).toISOString()),
          element('ETag', quoted(part.etag)),
          element('Size', part.size),
          ...checksumElements(part.checksums),
        ]),
      ),
    ]),
  }
}

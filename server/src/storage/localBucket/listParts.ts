import type { Call, Reply } from './bucket.ts'
import { maxKeysPerPage } from './limits.ts'
import { readPageSize } from './listObjects.ts'
import { requestedUpload } from './multipartUploads.ts'
import { checksumElements, quoted } from './objectHeaders.ts'
import { queryValue } from './s3Request.ts'
import { element, xmlDocument } from './xml.ts'

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

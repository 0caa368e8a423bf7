import type { Call, Reply } from './bucket.ts'
import type { ChecksumAlgorithm } from './checksums.ts'
import { readChecksumAlgorithm } from './expectedDigests.ts'
import { keyBytes } from './keyFileName.ts'
import { maxKeysPerPage } from './limits.ts'
import { escapeName, readPageSize } from './listObjects.ts'
import { readObjectHeaders } from './objectHeaders.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, queryValue, type S3Request } from './s3Request.ts'
import type { Upload, UploadChecksum } from './uploadStore.ts'
import { element, xmlDocument } from './xml.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export async function createUpload({ bucket, request }: Call): Promise<Reply> {
  const described = readObjectHeaders(request)
  const checksum = readUploadChecksum(request)
  const upload = await bucket.uploads.begin({
    key: request.key,
    initiated: bucket.now().getTime(),
    ...described,
    checksum,
  })
  const headers = checksum && {
    'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(),
    'x-amz-checksum-type': checksum.type,
  }
  return {
    status: 200,
    headers: headers ?? {},
    body: xmlDocument('InitiateMultipartUploadResult', [
      element('Bucket', bucket.name),
      element('Key', upload.key),
      element('UploadId', upload.id),
    ]),
  }
}

function readUploadChecksum(request: S3Request): UploadChecksum | undefined {
  const algorithm = readChecksumAlgorithm(request, 'x-amz-checksum-algorithm')
  if (!algorithm) return undefined
  const type = headerValue(request, 'x-amz-checksum-type') ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE')
  if (type !== 'COMPOSITE' && type !== 'FULL_OBJECT')
    throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.')
  if (!allowsType(algorithm, type)) {
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    )
  }
  return { algorithm, type }
}

function allowsType(algorithm: ChecksumAlgorithm, type: UploadChecksum['type']): boolean {
  if (type === 'COMPOSITE') return algorithm !== 'crc64nvme'
  return algorithm !== 'sha1' && algorithm !== 'sha256'
}

export async function abortUpload(call: Call): Promise<Reply> {
  const wasThere = await call.bucket.uploads.end(requestedUpload(call))
  if (!wasThere) throw new S3Error('NoSuchUpload')
  return { status: 204 }
}

export function requestedUpload({ bucket, request }: Call): Upload {
  return bucket.uploads.find(queryValue(request, 'uploadId') ?? '', request.key)
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export function listUploads({ bucket, request }: Call): Reply {
  const prefix = queryValue(request, 'prefix') ?? ''
  if (queryValue(request, 'delimiter')) throw new S3Error('NotImplemented')
  const maxUploads = readPageSize(queryValue(request, 'max-uploads'), maxKeysPerPage, 'max-uploads')
  const keyMarker = queryValue(request, 'key-marker') ?? ''
  const idMarker = queryValue(request, 'upload-id-marker') ?? ''
  const encode = queryValue(request, 'encoding-type') === 'url' ? escapeName : (text: string) => text
  const after = keyMarker === '' ? '' : idMarker === '' ? `${keyBytes(keyMarker)}\0\xff` : place(keyMarker, idMarker)
  const waiting = bucket.uploads
    .all()
    .filter(({ key }) => key.startsWith(prefix))
    .map((upload) => ({ upload, at: place(upload.key, upload.id) }))
    .filter(({ at }) => at > after)
    .sort((a, b) => (a.at < b.at ? -1 : 1))
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
      encode === escapeName ? element('EncodingType', 'url') : undefined,
      element('MaxUploads', maxUploads),
      element('IsTruncated', String(last !== undefined)),
      ...uploads.map((upload) => uploadElement(upload, encode)),
    ]),
  }
}

/** Where an upload stands in the list: by key, then by id. */
function place(key: string, id: string): string {
  return `${keyBytes(key)}\0${id}`
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

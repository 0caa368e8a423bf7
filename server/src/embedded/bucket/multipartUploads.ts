import { closeSync } from 'node:fs'
import type { Call, Reply } from './bucket.ts'
import { type ChecksumAlgorithm, readChecksumAlgorithm } from './checksums.ts'
import { openCopySource } from './copyObject.ts'
import { maxPartNumber, maxPutBytes } from './limits.ts'
import { type PartRecord, checksumElements, checksumHeaders, quoted, readObjectHeaders } from './objectHeaders.ts'
import { receiveBody } from './receiveBody.ts'
import { S3Error } from './s3Error.ts'
import { type S3Request, headerValue, queryValue } from './s3Request.ts'
import { type ByteRange, copyBytes, openBytes, readByteRange } from './storedBytes.ts'
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

/** A repeated part replaces the earlier one. https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(call: Call): Promise<Reply> {
  const { bucket, request, proved } = call
  const number = readPartNumber(request)
  const upload = requestedUpload(call)
  const alsoCompute = upload.checksum?.algorithm
  const file = await bucket.objects.receive<PartRecord>(async (write) => {
    const { size, md5, checksums } = await receiveBody({ request, proved, maxBytes: maxPutBytes, alsoCompute, write })
    return { size, etag: md5.toString('hex'), modified: bucket.now().getTime(), checksums }
  })
  await bucket.uploads.putPart(upload, number, file)
  return { status: 200, headers: { etag: quoted(file.record.etag), ...checksumHeaders(file.record.checksums) } }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
export async function uploadPartCopy(call: Call): Promise<Reply> {
  const { bucket, request } = call
  const number = readPartNumber(request)
  const upload = requestedUpload(call)
  const algorithm = upload.checksum?.algorithm
  const source = openCopySource(bucket, request)
  const range = closingOnError(source.descriptor, () => readSourceRange(request, source.record.size))
  const file = await bucket.objects.receive<PartRecord>(async (write) => {
    const { size, md5, checksum } = await copyBytes(openBytes(source, range), write, algorithm)
    const checksums = algorithm && checksum !== undefined ? { [algorithm]: checksum } : {}
    return { size, etag: md5.toString('hex'), modified: bucket.now().getTime(), checksums }
  })
  await bucket.uploads.putPart(upload, number, file)
  const { etag, modified, checksums } = file.record
  return {
    status: 200,
    body: xmlDocument('CopyPartResult', [
      element('LastModified', new Date(modified).toISOString()),
      element('ETag', quoted(etag)),
      ...checksumElements(checksums),
    ]),
  }
}

function readPartNumber(request: S3Request): number {
  const text = queryValue(request, 'partNumber') ?? ''
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= maxPartNumber) return number
  throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${maxPartNumber}, inclusive`)
}

/** `bytes=first-last`. Unlike in a GET, both are required and must be inside the source. */
function readSourceRange(request: S3Request, size: number): ByteRange | undefined {
  const header = headerValue(request, 'x-amz-copy-source-range')
  if (header === undefined) return undefined
  const isExact = /^bytes=\d{1,15}-\d{1,15}$/.test(header) && Number(header.split('-')[1]) < size
  const range = isExact ? readByteRange(header, size) : undefined
  if (!range)
    throw new S3Error('InvalidArgument', 'The x-amz-copy-source-range value must be of the form bytes=first-last')
  return range
}

function closingOnError<T>(descriptor: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

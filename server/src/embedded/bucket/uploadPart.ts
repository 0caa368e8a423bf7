import { closeSync } from 'node:fs'
import type { Call, Reply } from './bucket.ts'
import { openCopySource } from './copyObject.ts'
import { maxPartNumber, maxPutBytes } from './limits.ts'
import { requestedUpload } from './multipartUploads.ts'
import { checksumElements, checksumHeaders, quoted, type PartRecord } from './objectHeaders.ts'
import { receiveBody } from './receiveBody.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, queryValue, type S3Request } from './s3Request.ts'
import { readByteRange, type ByteRange, copyBytes, openBytes } from './storedBytes.ts'
import { element, xmlDocument } from './xml.ts'

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

import type { Call, Reply } from './bucket.ts'
import type { ChecksumAlgorithm } from './checksums.ts'
import { readChecksumAlgorithm } from './expectedDigests.ts'
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

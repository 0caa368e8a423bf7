import { closeSync } from 'node:fs'
import type { Call, Reply } from './bucket.ts'
import type { ChecksumAlgorithm } from './checksums.ts'
import { copyBytes } from './copyBytes.ts'
import { openCopySource } from './copySource.ts'
import { readChecksumAlgorithm } from './expectedDigests.ts'
import { checksumElements, checksumType, quoted, readObjectHeaders } from './objectHeaders.ts'
import { readWriteCondition } from './preconditions.ts'
import { openBytes } from './openBytes.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'
import type { ObjectRecord } from './storedObject.ts'
import { element, xmlDocument } from './xml.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export async function copyObject({ bucket, request }: Call): Promise<Reply> {
  const condition = readWriteCondition(request)
  const replaces = readDirective(request)
  const described = readObjectHeaders(request)
  const asked = readChecksumAlgorithm(request, 'x-amz-checksum-algorithm')
  const source = openCopySource(bucket, request)
  if (source.record.key === request.key && !replaces) {
    closeSync(source.descriptor)
    throw new S3Error(
      'InvalidRequest',
      'This copy request is illegal because it is trying to copy an object to itself without changing the object.',
    )
  }

  const file = await bucket.objects.receive<ObjectRecord>(async (write) => {
    const algorithm = asked ?? algorithmOf(source.record)
    const { size, md5, checksum } = await copyBytes(openBytes(source), write, algorithm)
    const { headers, metadata } = replaces ? described : source.record
    const checksums = algorithm && checksum !== undefined ? { [algorithm]: checksum } : {}
    return {
      key: request.key,
      size,
      etag: md5.toString('hex'),
      modified: bucket.now().getTime(),
      headers,
      metadata,
      checksums,
    }
  })
  await bucket.objects.publish(file, condition)
  const { etag, modified, checksums } = file.record
  return {
    status: 200,
    body: xmlDocument('CopyObjectResult', [
      element('LastModified', new Date(modified).toISOString()),
      element('ETag', quoted(etag)),
      ...checksumElements(checksums),
      ...(Object.keys(checksums).length > 0 ? [element('ChecksumType', checksumType(checksums))] : []),
    ]),
  }
}

/** Whether the copy is described by this request instead of by its source. */
function readDirective(request: S3Request): boolean {
  const directive = headerValue(request, 'x-amz-metadata-directive') ?? 'COPY'
  if (directive !== 'COPY' && directive !== 'REPLACE')
    throw new S3Error('InvalidArgument', 'Unknown metadata directive.')
  return directive === 'REPLACE'
}

/** A copy keeps the kind of checksum; one of parts becomes one of all bytes, for the copy has no parts. */
function algorithmOf(record: ObjectRecord): ChecksumAlgorithm | undefined {
  return Object.keys(record.checksums)[0] as ChecksumAlgorithm | undefined
}

import { closeSync } from 'node:fs'
import type { Bucket, Call, Reply } from './bucket.ts'
import { type ChecksumAlgorithm, readChecksumAlgorithm } from './checksums.ts'
import { type ObjectRecord, checksumElements, checksumType, quoted, readObjectHeaders } from './objectHeaders.ts'
import { refuseUnlessWanted, readWriteCondition } from './preconditions.ts'
import type { OpenRecordFile } from './recordFile.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'
import { copyBytes, openBytes } from './storedBytes.ts'
import { element, xmlDocument } from './xml.ts'

/** Opens the object of `x-amz-copy-source` if its conditions hold. The caller closes the descriptor. */
export function openCopySource(bucket: Bucket, request: S3Request): OpenRecordFile<ObjectRecord> {
  const key = readSourceKey(bucket, headerValue(request, 'x-amz-copy-source') ?? '')
  const source = bucket.objects.open(key)
  if (!source) throw new S3Error('NoSuchKey', undefined, { details: { Key: key } })
  try {
    refuseUnlessWanted(request, source.record, 'x-amz-copy-source-')
    return source
  } catch (error) {
    closeSync(source.descriptor)
    throw error
  }
}

/** `/bucket/key` or `bucket/key`, escaped like a URL. */
function readSourceKey(bucket: Bucket, header: string): string {
  const [path = '', version] = header.split('?versionId=')
  const [, name, key] = /^([^/]+)\/(.+)$/s.exec(unescape(path).replace(/^\//, '')) ?? []
  if (name === undefined || key === undefined) {
    throw new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey')
  }
  if (name !== bucket.name) throw new S3Error('NoSuchBucket', undefined, { details: { BucketName: name } })
  if (version !== undefined && version !== 'null') throw new S3Error('NotImplemented')
  return key
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error('InvalidArgument', 'Copy Source must be URL-encoded')
  }
}

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

/** True if the headers of this request replace those of the source. */
function readDirective(request: S3Request): boolean {
  const directive = headerValue(request, 'x-amz-metadata-directive') ?? 'COPY'
  if (directive !== 'COPY' && directive !== 'REPLACE')
    throw new S3Error('InvalidArgument', 'Unknown metadata directive.')
  return directive === 'REPLACE'
}

/** A copy keeps the checksum algorithm. A checksum of parts becomes one of all bytes, because the copy has no parts. */
function algorithmOf(record: ObjectRecord): ChecksumAlgorithm | undefined {
  return Object.keys(record.checksums)[0] as ChecksumAlgorithm | undefined
}

import { closeSync } from 'node:fs'
import type { Bucket } from './bucket.ts'
import { refuseUnlessWanted } from './preconditions.ts'
import type { OpenRecordFile } from './recordFile.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'
import type { ObjectRecord } from './storedObject.ts'

/** Opens what `x-amz-copy-source` names, if the conditions about it hold. The caller closes the descriptor. */
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

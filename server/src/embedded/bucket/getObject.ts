import { closeSync } from 'node:fs'
import type { Call, Reply } from './bucket.ts'
import { maxPutBytes } from './limits.ts'
import {
  checksumHeaders,
  checksumType,
  metadataHeaders,
  quoted,
  type ObjectRecord,
  readObjectHeaders,
} from './objectHeaders.ts'
import { refuseUnlessWanted, readWriteCondition } from './preconditions.ts'
import { receiveBody } from './receiveBody.ts'
import type { OpenRecordFile } from './recordFile.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, queryValue, type S3Request } from './s3Request.ts'
import { wantedRange, openBytes } from './storedBytes.ts'

/** GET and HEAD: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export function getObject({ bucket, request }: Call): Reply {
  if (queryValue(request, 'partNumber') !== undefined) throw new S3Error('NotImplemented')
  const file = bucket.objects.open(request.key)
  if (!file) {
    // If the folder has just disappeared, the state of this object is unknown.
    bucket.refuseIfAway()
    throw new S3Error('NoSuchKey', undefined, { details: { Key: request.key } })
  }
  let isHandedOn = false
  try {
    const reply = replyWith(request, file)
    isHandedOn = reply.body !== undefined
    return reply
  } finally {
    if (!isHandedOn) closeSync(file.descriptor)
  }
}

function replyWith(request: S3Request, file: OpenRecordFile<ObjectRecord>): Reply {
  const { record } = file
  refuseUnlessWanted(request, record)
  const range = wantedRange(request, record)
  const length = range ? range.end - range.start + 1 : record.size
  const wantsChecksum = headerValue(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' && !range
  const headers = {
    'accept-ranges': 'bytes',
    ...record.headers,
    ...responseOverrides(request),
    ...metadataHeaders(record),
    'content-length': length,
    etag: quoted(record.etag),
    'last-modified': new Date(record.modified).toUTCString(),
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${record.size}` }),
    ...(wantsChecksum && knownChecksums(record)),
  }
  const body = request.method === 'HEAD' ? {} : { body: openBytes(file, range) }
  return { status: range ? 206 : 200, headers, ...body }
}

function knownChecksums(record: ObjectRecord): Record<string, string> {
  if (Object.keys(record.checksums).length === 0) return {}
  return { ...checksumHeaders(record.checksums), 'x-amz-checksum-type': checksumType(record.checksums) }
}

const overridable = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]

/** `response-content-disposition` and similar parameters: the signer sets headers of the response. */
function responseOverrides(request: S3Request): Record<string, string> {
  const overrides: Record<string, string> = {}
  for (const name of overridable) {
    const value = queryValue(request, `response-${name}`)
    if (value === undefined) continue
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new S3Error('InvalidArgument', 'Header value cannot be represented using ISO-8859-1.', {
        details: { ArgumentName: `response-${name}` },
      })
    }
    overrides[name] = value
  }
  return overrides
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export async function putObject({ bucket, request, proved }: Call): Promise<Reply> {
  const described = readObjectHeaders(request)
  const condition = readWriteCondition(request)
  // The final check happens when the object is published. This one saves the client from sending a useless body.
  if (condition.createOnly && bucket.objects.read(request.key)) throw new S3Error('PreconditionFailed')

  const file = await bucket.objects.receive<ObjectRecord>(async (write) => {
    const { size, md5, checksums } = await receiveBody({ request, proved, maxBytes: maxPutBytes, write })
    return {
      key: request.key,
      size,
      etag: md5.toString('hex'),
      modified: bucket.now().getTime(),
      ...described,
      checksums,
    }
  })
  await bucket.objects.publish(file, condition)
  const { etag, checksums } = file.record
  return { status: 200, headers: { etag: quoted(etag), ...checksumHeaders(checksums), ...typeHeader(checksums) } }
}

function typeHeader(checksums: ObjectRecord['checksums']): Record<string, string> {
  return Object.keys(checksums).length > 0 ? { 'x-amz-checksum-type': checksumType(checksums) } : {}
}

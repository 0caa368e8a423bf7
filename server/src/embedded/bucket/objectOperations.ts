import { closeSync } from 'node:fs'
import type { Call, Reply } from './bucket.ts'
import { maxKeyBytes, maxKeysPerDelete, maxPutBytes, maxXmlBytes } from './limits.ts'
import {
  type ObjectRecord,
  checksumHeaders,
  checksumType,
  metadataHeaders,
  quoted,
  readObjectHeaders,
  unquoted,
} from './objectHeaders.ts'
import { readWriteCondition, refuseUnlessWanted } from './preconditions.ts'
import { receiveBody, receiveText } from './receiveBody.ts'
import type { OpenRecordFile } from './recordFile.ts'
import { S3Error, type S3ErrorCode } from './s3Error.ts'
import { type S3Request, headerValue, queryValue } from './s3Request.ts'
import { openBytes, wantedRange } from './storedBytes.ts'
import { type XmlElement, childText, childrenNamed, element, parseXml, xmlDocument } from './xml.ts'

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

/** Succeeds for a missing object. With `if-match`, deletes only an object with that ETag. */
export async function deleteObject({ bucket, request }: Call): Promise<Reply> {
  const ifMatch = headerValue(request, 'if-match')
  if (ifMatch !== undefined) {
    const current = bucket.objects.read(request.key)
    if (!current) throw new S3Error('NoSuchKey')
    if (ifMatch.trim() !== '*' && unquoted(ifMatch) !== current.etag) throw new S3Error('PreconditionFailed')
  }
  await bucket.objects.remove([request.key])
  return { status: 204 }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export async function deleteObjects({ bucket, request, proved }: Call): Promise<Reply> {
  const { text, hasClientDigest } = await receiveText(request, proved, maxXmlBytes)
  if (!hasClientDigest) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*')
  }
  const root = parseXml(text, 'Delete')
  const targets = childrenNamed(root, 'Object')
  if (targets.length === 0 || targets.length > maxKeysPerDelete) throw new S3Error('MalformedXML')
  const isQuiet = childText(root, 'Quiet')?.trim() === 'true'

  const judged = targets.map((target) => ({ key: readKey(target), refusal: refusalOf(target) }))
  await bucket.objects.remove(judged.filter(({ refusal }) => !refusal).map(({ key }) => key))
  const results = judged.map(({ key, refusal }) => {
    if (refusal) return errorElement(key, refusal)
    return isQuiet ? undefined : element('Deleted', [element('Key', key)])
  })
  return { status: 200, body: xmlDocument('DeleteResult', results) }
}

function readKey(target: XmlElement): string {
  const key = childText(target, 'Key')
  if (!key) throw new S3Error('MalformedXML')
  return key
}

interface DeleteRefusal {
  readonly code: S3ErrorCode | 'NoSuchVersion'
  readonly message: string
}

function refusalOf(target: XmlElement): DeleteRefusal | undefined {
  const version = childText(target, 'VersionId')
  if (version !== undefined && version !== 'null') {
    return { code: 'NoSuchVersion', message: 'The specified version does not exist.' }
  }
  const isConditional = ['ETag', 'LastModifiedTime', 'Size'].some((name) => childText(target, name) !== undefined)
  if (isConditional) return { code: 'NotImplemented', message: 'Conditions on single keys are not implemented.' }
  if (Buffer.byteLength(readKey(target)) > maxKeyBytes)
    return { code: 'KeyTooLongError', message: 'Your key is too long' }
  return undefined
}

function errorElement(key: string, { code, message }: DeleteRefusal) {
  return element('Error', [element('Key', key), element('Code', code), element('Message', message)])
}

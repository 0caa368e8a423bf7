import type { Call, Reply } from './bucket.ts'
import { maxKeyBytes, maxKeysPerDelete, maxXmlBytes } from './limits.ts'
import { unquoted } from './objectHeaders.ts'
import { receiveText } from './receiveBody.ts'
import { S3Error, type S3ErrorCode } from './s3Error.ts'
import { headerValue } from './s3Request.ts'
import { childrenNamed, childText, parseXml, type XmlElement, element, xmlDocument } from './xml.ts'

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

import { closeSync } from 'node:fs'
import type { Bucket, Call, Reply } from './bucket.ts'
import { checksumAlgorithms, checksumHeader, startChecksum } from './checksums.ts'
import { maxPartNumber, maxXmlBytes, minPartBytes } from './limits.ts'
import { requestedUpload } from './multipartUploads.ts'
import { checksumElements, checksumType, quoted, unquoted, type ObjectRecord } from './objectHeaders.ts'
import { readWriteCondition } from './preconditions.ts'
import { receiveText } from './receiveBody.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'
import { copyBytes, openBytes } from './storedBytes.ts'
import type { StoredPart, Upload } from './uploadStore.ts'
import { childrenNamed, childText, parseXml, type XmlElement, element, xmlDocument } from './xml.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
export async function completeUpload(call: Call): Promise<Reply> {
  const { bucket, request, proved } = call
  const condition = readWriteCondition(request)
  requestedUpload(call)
  const { text } = await receiveText(request, proved, maxXmlBytes, 'object')
  // Checked again, because the upload can have ended while the body arrived.
  const upload = requestedUpload(call)
  const parts = chooseParts(parseXml(text, 'CompleteMultipartUpload'), bucket.uploads.parts(upload))
  if (condition.createOnly && bucket.objects.read(request.key)) throw new S3Error('PreconditionFailed')

  const file = await bucket.objects.receive<ObjectRecord>(async (write) => {
    const algorithm = upload.checksum?.type === 'FULL_OBJECT' ? upload.checksum.algorithm : undefined
    const { size, checksum } = await copyBytes(readParts(bucket, upload, parts), write, algorithm)
    const checksums = algorithm && checksum !== undefined ? { [algorithm]: checksum } : compositeChecksum(upload, parts)
    refuseWrongChecksum(request, checksums)
    const { key, headers, metadata } = upload
    return { key, size, etag: compositeEtag(parts), modified: bucket.now().getTime(), headers, metadata, checksums }
  })
  await bucket.objects.publish(file, condition)
  await bucket.uploads.end(upload)
  return { status: 200, body: completedDocument(bucket, file.record) }
}

/** Returns the stored parts that the client lists. Throws unless they match, are in order and are large enough. */
function chooseParts(root: XmlElement, stored: readonly StoredPart[]): StoredPart[] {
  const named = childrenNamed(root, 'Part')
  if (named.length === 0 || named.length > maxPartNumber) throw new S3Error('MalformedXML')
  const byNumber = new Map(stored.map((part) => [part.number, part]))
  const parts = named.map((part) => choosePart(part, byNumber))
  if (parts.some((part, index) => index > 0 && part.number <= parts[index - 1]!.number))
    throw new S3Error('InvalidPartOrder')
  const small = parts.slice(0, -1).find((part) => part.size < minPartBytes)
  if (small) {
    throw new S3Error('EntityTooSmall', undefined, {
      details: {
        ProposedSize: String(small.size),
        MinSizeAllowed: String(minPartBytes),
        PartNumber: String(small.number),
      },
    })
  }
  return parts
}

function choosePart(named: XmlElement, byNumber: ReadonlyMap<number, StoredPart>): StoredPart {
  const number = Number(childText(named, 'PartNumber')?.trim() || Number.NaN)
  const etag = childText(named, 'ETag')
  if (!Number.isInteger(number) || etag === undefined) throw new S3Error('MalformedXML')
  const part = byNumber.get(number)
  const isSame =
    part?.etag === unquoted(etag) && checksumAlgorithms.every((algorithm) => agrees(algorithm, named, part))
  if (!part || !isSame) throw new S3Error('InvalidPart', undefined, { details: { PartNumber: String(number) } })
  return part
}

function agrees(algorithm: (typeof checksumAlgorithms)[number], named: XmlElement, part: StoredPart): boolean {
  const given = childText(named, `Checksum${algorithm.toUpperCase()}`)
  const known = part.checksums[algorithm]
  return given === undefined || known === undefined || given.trim() === known
}

/** Throws if a part was replaced after it was chosen, because the client's ETag no longer matches. */
async function* readParts(bucket: Bucket, upload: Upload, parts: readonly StoredPart[]): AsyncGenerator<Buffer, void> {
  for (const { number, etag } of parts) {
    const file = bucket.uploads.openPart(upload, number)
    if (!file) throw new S3Error('NoSuchUpload')
    if (file.record.etag !== etag) {
      closeSync(file.descriptor)
      throw new S3Error('InvalidPart')
    }
    yield* openBytes(file)
  }
}

function compositeEtag(parts: readonly StoredPart[]): string {
  const md5 = startChecksum('md5')
  for (const { etag } of parts) md5.update(Buffer.from(etag, 'hex'))
  return `${md5.digest().toString('hex')}-${parts.length}`
}

function compositeChecksum({ checksum }: Upload, parts: readonly StoredPart[]): ObjectRecord['checksums'] {
  if (!checksum) return {}
  const { algorithm } = checksum
  const digest = startChecksum(algorithm)
  for (const { number, checksums } of parts) {
    const ofPart = checksums[algorithm]
    if (ofPart === undefined) throw new Error(`Part ${number} was stored without its ${algorithm}`)
    digest.update(Buffer.from(ofPart, 'base64'))
  }
  return { [algorithm]: `${digest.digest().toString('base64')}-${parts.length}` }
}

/** In this request, the checksum header refers to the object, not to the body of the request. */
function refuseWrongChecksum(request: S3Request, checksums: ObjectRecord['checksums']): void {
  for (const algorithm of checksumAlgorithms) {
    const given = headerValue(request, checksumHeader(algorithm))
    if (given === undefined || given === checksums[algorithm]) continue
    if (given === checksums[algorithm]?.replace(/-\d+$/, '')) continue
    throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`)
  }
}

function completedDocument(bucket: Bucket, record: ObjectRecord): string {
  const { key, etag, checksums } = record
  return xmlDocument('CompleteMultipartUploadResult', [
    element('Location', `/${bucket.name}/${encodeURI(key)}`),
    element('Bucket', bucket.name),
    element('Key', key),
    element('ETag', quoted(etag)),
    ...checksumElements(checksums),
    ...(Object.keys(checksums).length > 0 ? [element('ChecksumType', checksumType(checksums))] : []),
  ])
}

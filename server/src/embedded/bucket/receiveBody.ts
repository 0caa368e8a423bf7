import type { IncomingMessage } from 'node:http'
import { decodeAwsChunked } from './awsChunked.ts'
import {
  type ChecksumAlgorithm,
  type ExpectedDigests,
  type RunningChecksum,
  readChecksumValue,
  readExpectedDigests,
  startChecksum,
} from './checksums.ts'
import { idleBodyMilliseconds } from './limits.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'
import type { ProvedSignature } from './verifySignature.ts'

/**
 * Reads the body from the connection. Throws `RequestTimeout` if the client stalls, and throws if it disconnects. An
 * early exit keeps the connection open, because the refusal still has to be written to it.
 */
async function* readBodyChunks(http: IncomingMessage): AsyncGenerator<Buffer, void> {
  const chunks: AsyncIterator<Buffer> = http.iterator({ destroyOnReturn: false })
  for (;;) {
    const next = await withinIdleTime(chunks.next())
    if (next.done) break
    yield next.value
  }
  if (!http.complete) throw new S3Error('IncompleteBody')
}

async function withinIdleTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const idle = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new S3Error('RequestTimeout')), idleBodyMilliseconds)
  })
  try {
    return await Promise.race([promise, idle])
  } finally {
    clearTimeout(timer)
  }
}

interface BodyPlan {
  readonly request: S3Request
  readonly proved: ProvedSignature
  readonly maxBytes: number
  /** What `x-amz-checksum-*` refers to. Default: this body. */
  readonly checksumOf?: 'body' | 'object'
  /** Computed even if the client does not send it. */
  readonly alsoCompute?: ChecksumAlgorithm | undefined
  /** Receives every byte in order, before anything is verified. */
  readonly write: (chunk: Buffer) => Promise<void>
}

interface ReceivedBody {
  readonly size: number
  readonly md5: Buffer
  /** Base64. The checksums that the client sent or the plan requested. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>
  /** Whether the client sent a digest of the body. */
  readonly hasClientDigest: boolean
}

const chunkedForms = new Set([
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
])

const noDigests: ExpectedDigests = { md5: undefined, checksum: undefined }

/**
 * Receives a body and verifies it: exact length, the signed payload hash, Content-MD5, checksums in headers and
 * trailers. Returns only if all of them match, so the caller may publish what was written.
 */
export async function receiveBody(plan: BodyPlan): Promise<ReceivedBody> {
  const { request, proved } = plan
  const isChunked = chunkedForms.has(proved.payloadHash)
  if (!isChunked && !/^(?:UNSIGNED-PAYLOAD|[0-9a-f]{64})$/.test(proved.payloadHash)) {
    throw new S3Error(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a form of STREAMING, or a valid sha256 value.',
    )
  }
  const length = readLength(request, isChunked)
  if (length > plan.maxBytes) throw new S3Error('EntityTooLarge')
  const expected = plan.checksumOf === 'object' ? noDigests : readExpectedDigests(request)
  const digests = startDigests(plan, expected)

  request.invite()
  const wire = readBodyChunks(request.http)
  const { payload, trailers } = isChunked ? decodeAwsChunked(wire, proved) : { payload: wire, trailers: new Map() }
  let size = 0
  for await (const chunk of payload) {
    size += chunk.length
    if (size > length) throw new S3Error('IncompleteBody', 'The body is longer than its declared length.')
    for (const digest of digests.values()) digest.update(chunk)
    await plan.write(chunk)
  }
  if (size !== length) throw new S3Error('IncompleteBody')
  return provedBody({ size, digests, expected, proved, trailers })
}

function readLength(request: S3Request, isChunked: boolean): number {
  const text = isChunked ? headerValue(request, 'x-amz-decoded-content-length') : request.http.headers['content-length']
  if (text === undefined) throw new S3Error('MissingContentLength')
  if (!/^\d{1,15}$/.test(text)) throw new S3Error('InvalidArgument', 'The length of the body is not a number')
  return Number(text)
}

type Digests = ReadonlyMap<ChecksumAlgorithm | 'md5' | 'payload', RunningChecksum>

function startDigests(plan: BodyPlan, expected: ExpectedDigests): Digests {
  const digests = new Map<ChecksumAlgorithm | 'md5' | 'payload', RunningChecksum>([['md5', startChecksum('md5')]])
  const algorithms = new Set([expected.checksum?.algorithm, plan.alsoCompute])
  for (const algorithm of algorithms) if (algorithm) digests.set(algorithm, startChecksum(algorithm))
  if (/^[0-9a-f]{64}$/.test(plan.proved.payloadHash)) digests.set('payload', startChecksum('sha256'))
  return digests
}

interface Received {
  readonly size: number
  readonly digests: Digests
  readonly expected: ExpectedDigests
  readonly proved: ProvedSignature
  readonly trailers: ReadonlyMap<string, string>
}

function provedBody({ size, digests, expected, proved, trailers }: Received): ReceivedBody {
  const results = new Map([...digests].map(([name, digest]) => [name, digest.digest()]))
  const md5 = results.get('md5')!
  const payload = results.get('payload')
  if (payload && payload.toString('hex') !== proved.payloadHash) throw new S3Error('XAmzContentSHA256Mismatch')
  if (expected.md5 && !expected.md5.equals(md5)) throw new S3Error('BadDigest')
  results.delete('md5')
  results.delete('payload')
  const checksums = Object.fromEntries([...results].map(([name, digest]) => [name, digest.toString('base64')]))
  refuseWrongChecksum(checksums, expected, trailers)
  const hasClientDigest = expected.md5 !== undefined || expected.checksum !== undefined
  return { size, md5, checksums, hasClientDigest }
}

function refuseWrongChecksum(
  checksums: Record<string, string>,
  { checksum }: ExpectedDigests,
  trailers: ReadonlyMap<string, string>,
): void {
  if (!checksum) return
  const { algorithm } = checksum
  const value = checksum.value ?? readChecksumValue(algorithm, trailers.get(`x-amz-checksum-${algorithm}`))
  if (value !== checksums[algorithm]) {
    throw new S3Error(
      'BadDigest',
      `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    )
  }
}

/** Reads an XML body. */
export async function receiveText(
  request: S3Request,
  proved: ProvedSignature,
  maxBytes: number,
  checksumOf: 'body' | 'object' = 'body',
) {
  const chunks: Buffer[] = []
  const body = await receiveBody({
    request,
    proved,
    maxBytes,
    checksumOf,
    write: async (chunk) => void chunks.push(chunk),
  })
  return { ...body, text: Buffer.concat(chunks).toString('utf8') }
}

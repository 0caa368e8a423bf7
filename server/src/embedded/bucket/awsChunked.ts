import { createHash, hash } from 'node:crypto'
import { S3Error } from './s3Error.ts'
import { isSameSignature, sign, type ProvedSignature } from './verifySignature.ts'

const emptyHash = hash('sha256', '')
const maxLineBytes = 16 * 1024
const maxTrailers = 16

export interface ChunkedBody {
  /** The payload without its framing. */
  readonly payload: AsyncGenerator<Buffer, void>
  /** Complete after the payload was read. Names are in lower case. */
  readonly trailers: ReadonlyMap<string, string>
}

/**
 * Decodes `content-encoding: aws-chunked` in all its forms: signed or unsigned chunks, with or without trailers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 *
 * The signatures form a chain that starts with that of the request, so no chunk can be changed, moved or left out. A
 * wrong signature is detected only at the end of its chunk. Do not publish what was yielded before the payload ends.
 */
export function decodeAwsChunked(wire: AsyncIterable<Buffer>, proved: ProvedSignature): ChunkedBody {
  const trailers = new Map<string, string>()
  return { payload: readPayload(createWireReader(wire), proved, trailers), trailers }
}

async function* readPayload(
  reader: WireReader,
  proved: ProvedSignature,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer, void> {
  const isSigned = proved.payloadHash.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')
  let previous = proved.signature
  for (;;) {
    const { size, signature } = readChunkHeader(await reader.line())
    const chunkHash = createHash('sha256')
    for (let left = size; left > 0;) {
      const part = await reader.some(left)
      left -= part.length
      if (isSigned) chunkHash.update(part)
      yield part
    }
    if (isSigned) previous = verifyChunk(proved, previous, chunkHash.digest('hex'), signature)
    if (size === 0) break
    if ((await reader.line()) !== '') throw new S3Error('InvalidRequest', 'A chunk is longer than it says')
  }
  const signedText = await readTrailers(reader, trailers)
  if (isSigned && proved.payloadHash.endsWith('-TRAILER')) verifyTrailers(proved, previous, signedText, trailers)
  await reader.end()
}

function readChunkHeader(line: string): { size: number; signature: string } {
  const match = /^([0-9a-f]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line)
  if (!match) throw new S3Error('InvalidRequest', 'The body is not aws-chunked')
  return { size: Number.parseInt(match[1]!, 16), signature: match[2] ?? '' }
}

function verifyChunk(proved: ProvedSignature, previous: string, chunkHash: string, given: string): string {
  const text = ['AWS4-HMAC-SHA256-PAYLOAD', proved.time, proved.scope, previous, emptyHash, chunkHash].join('\n')
  const expected = sign(proved.signingKey, text)
  if (!isSameSignature(expected, given)) throw new S3Error('SignatureDoesNotMatch')
  return expected
}

/** Returns the trailers in their signed form. */
async function readTrailers(reader: WireReader, trailers: Map<string, string>): Promise<string> {
  let signedText = ''
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const [, name, value] = /^([\w-]+):(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined || trailers.size >= maxTrailers) {
      throw new S3Error('InvalidRequest', 'The trailers of the body cannot be read')
    }
    trailers.set(name.toLowerCase(), value.trim())
    if (name.toLowerCase() !== 'x-amz-trailer-signature') signedText += `${name.toLowerCase()}:${value.trim()}\n`
  }
  return signedText
}

function verifyTrailers(
  proved: ProvedSignature,
  previous: string,
  signedText: string,
  trailers: ReadonlyMap<string, string>,
): void {
  const text = ['AWS4-HMAC-SHA256-TRAILER', proved.time, proved.scope, previous, hash('sha256', signedText)].join('\n')
  const given = trailers.get('x-amz-trailer-signature') ?? ''
  if (!isSameSignature(sign(proved.signingKey, text), given)) throw new S3Error('SignatureDoesNotMatch')
}

interface WireReader {
  /** Reads up to CRLF, which is not returned. */
  line(): Promise<string>
  /** Reads at least one byte and at most `max`. */
  some(max: number): Promise<Buffer>
  /** Throws if bytes remain. */
  end(): Promise<void>
}

function createWireReader(wire: AsyncIterable<Buffer>): WireReader {
  const chunks = wire[Symbol.asyncIterator]()
  let buffer: Buffer = Buffer.alloc(0)

  async function fill(): Promise<boolean> {
    const next = await chunks.next()
    if (!next.done) buffer = buffer.length === 0 ? next.value : Buffer.concat([buffer, next.value])
    return !next.done
  }

  return {
    async line() {
      for (;;) {
        const end = buffer.indexOf('\r\n')
        if (end > maxLineBytes || (end < 0 && buffer.length > maxLineBytes)) throw new S3Error('InvalidRequest')
        if (end >= 0) {
          const line = buffer.toString('latin1', 0, end)
          buffer = buffer.subarray(end + 2)
          return line
        }
        if (!(await fill())) throw new S3Error('IncompleteBody')
      }
    },
    async some(max) {
      while (buffer.length === 0) if (!(await fill())) throw new S3Error('IncompleteBody')
      const part = buffer.subarray(0, max)
      buffer = buffer.subarray(part.length)
      return part
    },
    async end() {
      if (buffer.length > 0 || (await fill())) throw new S3Error('InvalidRequest', 'The body goes on after its end')
    },
  }
}

import { Readable } from 'node:stream'
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { refuseWithoutEtag } from './readS3Answer.ts'

/** Reads at most `maxBytes` and hangs up, whatever the store went on to send. */
export async function readStartOf(output: GetObjectCommandOutput, maxBytes: number): Promise<Uint8Array> {
  const body = streamOf(output)
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop destroys the stream.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    length += chunk.byteLength
    if (length >= maxBytes) break
  }
  const expected = Math.min(maxBytes, output.ContentLength ?? 0)
  if (length < expected) throw new Error(`The body ended after ${length} of ${expected} bytes`)
  return Uint8Array.from(Buffer.concat(chunks).subarray(0, maxBytes))
}

function streamOf(output: GetObjectCommandOutput): Readable {
  if (!(output.Body instanceof Readable)) throw new Error('The answer has no body')
  if (!output.ETag) output.Body.destroy()
  refuseWithoutEtag(output)
  return output.Body
}

import type { S3Client } from '@aws-sdk/client-s3'
import type { BlobStore, SignedUpload } from '../blobStore.ts'
import type { BucketOptions } from '../bucketAddress.ts'
import { describeFailure } from './s3Failure.ts'

/** One thing that a bucket does or does not do, in words for an operator. */
export interface BucketFinding {
  readonly behaviour: string
  readonly ok: boolean | 'unknown'
  readonly detail: string
  /** What to do about it; absent when all is well. */
  readonly advice?: string
}

/** What every probe works with. Each writes under the prefix alone. */
export interface BucketProbe {
  readonly options: BucketOptions
  readonly client: S3Client
  readonly store: BlobStore
  readonly prefix: string
}

const patienceMilliseconds = 10_000

/** `fetch` with an end, which never follows the store elsewhere. */
export function ask(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(patienceMilliseconds) })
}

/** The status that the store answers to a signed upload. */
export async function sendUpload(signed: SignedUpload, body: string, contentType?: string): Promise<number> {
  const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
  if (contentType) headers['content-type'] = contentType
  const response = await ask(signed.url, { method: 'PUT', headers, body: Buffer.from(body) })
  await response.arrayBuffer()
  return response.status
}

/** Runs one probe; a store that fails or does not answer shows neither the behaviour nor its absence. */
export async function settle(behaviour: string, probe: () => Promise<BucketFinding>): Promise<BucketFinding> {
  try {
    return await probe()
  } catch (error) {
    const { code, status, message } = describeFailure(error instanceof Error && error.cause ? error.cause : error)
    if (status !== undefined && (status < 500 || status === 501)) {
      const advice = 'Allow it to this key, or use a store that can do it.'
      return { behaviour, ok: false, detail: `The store refuses (${code}, HTTP ${status})`, advice }
    }
    const advice = 'Ask again later; if it stays so, look into the logs of the store.'
    return { behaviour, ok: 'unknown', detail: `The store gives no answer (${code}: ${message})`, advice }
  }
}

import type { S3Client } from '@aws-sdk/client-s3'
import type { BlobStore, SignedUpload } from './blobStore.ts'
import type { BucketOptions } from './bucketOptions.ts'
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

/** Runs one probe; a store that does not answer has neither the behaviour nor its absence. */
export async function settle(behaviour: string, probe: () => Promise<BucketFinding>): Promise<BucketFinding> {
  try {
    return await probe()
  } catch (error) {
    const { code, message } = describeFailure(error instanceof Error && error.cause ? error.cause : error)
    return { behaviour, ok: 'unknown', detail: `The store gave no answer (${code}: ${message})` }
  }
}

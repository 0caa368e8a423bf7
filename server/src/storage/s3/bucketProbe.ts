import type { S3Client } from '@aws-sdk/client-s3'
import type { BlobStore, SignedUpload } from '../blobStore.ts'
import type { BucketOptions } from '../bucketAddress.ts'
import { describeFailure } from './s3Failure.ts'

/** A behaviour that a bucket has or lacks, in words for an operator. */
export interface BucketFinding {
  readonly behaviour: string
  readonly ok: boolean | 'unknown'
  readonly detail: string
  /** How to fix it. Missing if nothing is wrong. */
  readonly advice?: string
}

/** The inputs of every probe. A probe writes only under the prefix. */
export interface BucketProbe {
  readonly options: BucketOptions
  readonly client: S3Client
  readonly store: BlobStore
  readonly prefix: string
}

const patienceMilliseconds = 10_000

/** `fetch` with a timeout, without following redirects. */
export function ask(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(patienceMilliseconds) })
}

/** The store's status for a signed upload. */
export async function sendUpload(signed: SignedUpload, body: string, contentType?: string): Promise<number> {
  const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
  if (contentType) headers['content-type'] = contentType
  const response = await ask(signed.url, { method: 'PUT', headers, body: Buffer.from(body) })
  await response.arrayBuffer()
  return response.status
}

/** Runs one probe. If the store fails or does not answer, the finding is unknown. */
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

import { STATUS_CODES } from 'node:http'
import { BlobStoreUnavailable } from '../blobStore.ts'
import type { StoreAnswer } from './storeRequests.ts'

/** The S3 error code, HTTP status and message of an error of a request. Each can be missing. */
export interface S3Failure {
  readonly code: string
  readonly status: number | undefined
  readonly message: string
}

export function describeFailure(error: unknown): S3Failure {
  if (!(error instanceof Error)) return { code: 'Unknown', status: undefined, message: String(error) }
  const { code, status, $metadata } = error as {
    code?: unknown
    status?: number
    $metadata?: { httpStatusCode?: number }
  }
  const socketCode = typeof code === 'string' ? code : undefined
  return {
    code: error.name === 'Error' || error.name === 'AggregateError' ? (socketCode ?? error.name) : error.name,
    status: status ?? $metadata?.httpStatusCode,
    message: error.message || (socketCode ?? 'no message'),
  }
}

/**
 * The error for an answer that is one. Its name is the S3 error code. The answer to a HEAD has no body, so the words of its
 * status take the place of a code: `NotFound`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function storeError({ status, body }: StoreAnswer): Error {
  const [code, message] = ['Code', 'Message'].map((name) => {
    const [, text] = new RegExp(`<${name}>([^<]{1,1000})</${name}>`).exec(body.toString()) ?? []
    return text
  })
  const name = code ?? (STATUS_CODES[status] ?? 'Unknown').replaceAll(' ', '')
  return Object.assign(new Error(message ?? `The store answered with ${status}`), { name, status })
}

/**
 * The error for callers. Its cause is a copy with only name, message and stack. The SDK's own error contains the
 * store's response, which repeats a refused signature and the signed string.
 */
export function unavailable(action: string, error: unknown): BlobStoreUnavailable {
  if (error instanceof BlobStoreUnavailable) return error
  const { code, status, message } = describeFailure(error)
  const cause = new Error(withoutSecrets(message))
  cause.name = code
  if (error instanceof Error && error.stack) cause.stack = withoutSecrets(error.stack)
  const answer = status === undefined ? code : `${code}, HTTP ${status}`
  return new BlobStoreUnavailable(`The bucket gave no usable answer to ${action} (${answer})`, { cause })
}

function withoutSecrets(text: string): string {
  return text
    .replace(/(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']*/gi, '$1…')
    .replace(/(Signature=)[0-9a-f]{16,}/gi, '$1…')
}

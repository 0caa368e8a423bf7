import { RefusedError, wordFailure } from '../apollo/takeSuccess.ts'
import { codeOf } from '../apollo/wordRefusal.ts'
import { essenceOf } from './declaredType.ts'
import { BucketError, IntentEnded } from './sendFile.ts'

/** The first bytes contradict the declared type. Found before anything is sent. */
export class Mistyped extends Error {
  constructor(proved: string, declared: string) {
    super(`The content is ${proved}, not ${essenceOf(declared)}.`)
  }
}

/** What a failed upload means for the queue. */
interface UploadFailure {
  /** Pauses all uploads: `busy` for a moment, `signed-out` until somebody signs in. */
  readonly pause: 'busy' | 'signed-out' | null
  /** Whether a retry needs a new intent, because this one has ended or would be refused again. */
  readonly needsFreshIntent: boolean
  /** Whether the intent ended before the bytes arrived. */
  readonly hasIntentEnded: boolean
  /** Whether the content is of another type than the browser declared. */
  readonly isMistyped: boolean
  /** Whether there was no response. The next uploads would get none either. */
  readonly isUnanswered: boolean
  readonly words: string
}

export function judgeFailure(error: unknown): UploadFailure {
  const isRefusal = error instanceof RefusedError
  const code = isRefusal ? error.refusal.code : codeOf(error)
  const hasIntentEnded = error instanceof IntentEnded
  return {
    pause: code === 'RATE_LIMITED' ? 'busy' : code === 'UNAUTHENTICATED' ? 'signed-out' : null,
    needsFreshIntent: hasIntentEnded || (isRefusal && code !== 'UPLOAD_INCOMPLETE'),
    hasIntentEnded,
    isMistyped: error instanceof Mistyped || code === 'CONTENT_MISMATCH',
    isUnanswered: code === 'NETWORK' || code === 'SERVICE_UNAVAILABLE',
    words: wordUploadFailure(error),
  }
}

function wordUploadFailure(error: unknown): string {
  if (error instanceof BucketError || error instanceof IntentEnded || error instanceof Mistyped) return error.message
  if (error instanceof DOMException && (error.name === 'NotReadableError' || error.name === 'NotFoundError')) {
    return 'The file cannot be read. It may have been moved or changed since you chose it. Choose it again.'
  }
  return wordFailure(error)
}

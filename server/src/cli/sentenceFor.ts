import { ConfigurationError } from '../config.ts'
import { DatabaseUnavailable, errorCodeOf, isFailedStatement, isUnavailable } from '../database/databaseUnavailable.ts'
import { BlobStoreUnavailable } from '../storage/blobStore.ts'

/** What went wrong, in one line for whoever typed the command (one for each wrong variable); never a stack. */
export function sentenceFor(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message
  if (isUnavailable(error)) return `The database did not answer: ${reasonOf(error)}`
  if (error instanceof BlobStoreUnavailable) return `The bucket did not answer: ${reasonOf(error)}`
  // Its own message is the statement and its values; its cause says what was wrong with them.
  if (isFailedStatement(error)) return `The database refused: ${reasonOf(error)}`
  return oneLine(error instanceof Error && error.message !== '' ? error.message : String(error))
}

/** The driver's own words say most; a code is all that some errors carry. */
function reasonOf(error: unknown): string {
  let deepest = error
  for (let depth = 0; depth < 5 && deepest instanceof Error && deepest.cause instanceof Error; depth += 1) {
    deepest = deepest.cause
  }
  const message = deepest instanceof Error && !(deepest instanceof DatabaseUnavailable) ? deepest.message : ''
  return oneLine(message || (errorCodeOf(error) ?? 'no reason was given'))
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, ' ')

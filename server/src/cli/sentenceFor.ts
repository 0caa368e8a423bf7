import { ConfigurationError } from '../config/config.ts'
import { DatabaseUnavailable, errorCodeOf, isFailedStatement, isUnavailable } from '../database/databaseUnavailable.ts'
import { PartFailed } from '../run/partFailed.ts'
import { BlobStoreUnavailable } from '../storage/blobStore.ts'

/**
 * Describes an error in one line for the person who ran the command, or in one line per invalid variable. Names the
 * part that failed, the variable that configures it, and the kind of failure. Never prints a stack.
 */
export function sentenceFor(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message
  const variable = error instanceof PartFailed ? ` (${error.variable})` : ''
  const found = error instanceof PartFailed ? error.cause : error
  if (isUnavailable(found)) return `The database${variable} cannot be used: ${reasonOf(found)}`
  if (found instanceof BlobStoreUnavailable) return `The bucket${variable} cannot be used: ${reasonOf(found)}`
  // The error's own message is the statement with its values. Its cause is the reason.
  if (isFailedStatement(found)) return `The database refused: ${reasonOf(found)}`
  return oneLine(found instanceof Error && found.message !== '' ? found.message : String(found))
}

const noTls = 'TLS: no encrypted connection came about; does it speak TLS there?'
const refusesCredentials = 'it refuses the credentials'

/** A sentence for each kind of failure, printed before the driver's message. SQLSTATE codes: PostgreSQL, appendix A. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/, 'its host name cannot be resolved'],
  [/^ECONNREFUSED$/, 'nothing listens at its address'],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONNECT_TIMEOUT|TimeoutError)$/,
    'its address does not answer; check the firewall',
  ],
  [/^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/, 'TLS: its certificate is not accepted'],
  [/^(EPROTO|ERR_SSL_)/, noTls],
  [/^28/, 'it refuses the login'],
  [/^3D000$/, 'it has no such database'],
  [/^(InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|Forbidden|403)$/, refusesCredentials],
  [/^(NoSuchBucket|NotFound)$/, 'it has no such bucket'],
]

/** Failures that only the driver's message identifies, because their code is ambiguous. */
const tellingWords: readonly (readonly [RegExp, string])[] = [
  [
    /startup parameter/i,
    'a connection pooler refuses what the application sets for each connection; connect to PostgreSQL itself',
  ],
  [/before secure TLS connection/i, noTls],
  [/HTTP 40[13]\b/, refusesCredentials],
]

/** The kind of failure, if it is known, and the driver's message. */
function reasonOf(error: unknown): string {
  const deepest = deepestCause(error)
  const code = codeOf(deepest) ?? errorCodeOf(error) ?? ''
  const message = deepest instanceof Error && !(deepest instanceof DatabaseUnavailable) ? oneLine(deepest.message) : ''
  const text = `${message} ${error instanceof Error ? error.message : ''}`
  const [, kind] = tellingWords.find(([words]) => words.test(text)) ?? kinds.find(([codes]) => codes.test(code)) ?? []
  const words = message || code || 'no reason was given'
  return kind === undefined ? words : `${kind} (${words})`
}

/**
 * The innermost cause. For a name with several addresses, Node reports one error per address; the first one is used.
 */
function deepestCause(error: unknown): unknown {
  let deepest = error
  for (let depth = 0; depth < 5 && deepest instanceof Error; depth += 1) {
    const inner: unknown = deepest instanceof AggregateError ? deepest.errors[0] : deepest.cause
    if (!(inner instanceof Error)) return deepest
    deepest = inner
  }
  return deepest
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, ' ')

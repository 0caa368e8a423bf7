import { DrizzleQueryError } from 'drizzle-orm'

/** The database gave no usable answer. Whether the statement took effect is unknown. The caller may try again later. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/**
 * True if a server refused a write because it is a standby, or read-only for another reason. SQLSTATE 25006:
 * read-only transaction. In a transaction that we opened read-only, the code is a bug instead.
 */
export const isReadOnlyServer = (error: unknown): boolean => errorCodeOf(error) === '25006'

/** Error codes of postgres.js and Node for a connection that failed. SQLSTATE classes are below. */
const brokenConnectionCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
])

/** Error codes of Node for a rejected certificate, and of OpenSSL for a peer without TLS. */
const refusedTls = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_|UNABLE_TO_)/

/**
 * SQLSTATE 08: connection exceptions. 28: the login was refused. 3D: the database does not exist. 53: out of resources.
 * 57: shutdown, crash, starting up, statement cancelled by a timeout. 25P03: the server ended an idle transaction.
 * 40001, 40P01 and 55P03: the transaction was rolled back because of a serialization failure, a deadlock or a lock
 * timeout. Source: PostgreSQL, appendix A.
 */
const unavailableStates = /^(08|28|3D|53|57|25P03|40001|40P01|55P03)/

/**
 * True if Postgres rolled back the transaction to resolve a deadlock (40P01) or a serialization failure (40001). The
 * same statements can be sent again at once.
 */
export function wasRolledBackForOthers(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === '40P01' || code === '40001'
}

/** The code of a driver's error, even if Drizzle has wrapped it. */
export function errorCodeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'string') return code
  }
  return undefined
}

export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true
  const code = errorCodeOf(error)
  return (
    code !== undefined && (brokenConnectionCodes.has(code) || refusedTls.test(code) || unavailableStates.test(code))
  )
}

/** The constraint that a failed statement violated. Undefined if it failed for another reason. */
export function violatedConstraint(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { constraint_name: name } = at as { constraint_name?: unknown }
    if (typeof name === 'string') return name
  }
  return undefined
}

/** True for an error whose message contains a statement with its values, and whose cause is the database's error. */
export const isFailedStatement = (error: unknown): boolean => error instanceof DrizzleQueryError

import { DrizzleQueryError } from 'drizzle-orm'

/** The database gave no usable answer: nothing can be said about the statement, and the caller may ask again later. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/** Codes of postgres.js and Node for a connection that could not be made or broke, beside the SQLSTATE classes below. */
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

/** Codes of Node for a certificate that was not accepted, and of OpenSSL for a peer that speaks no TLS. */
const refusedTls = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_|UNABLE_TO_)/

/**
 * SQLSTATE 08: connection exceptions; 28: the login was refused; 3D: there is no such database; 53: out of resources; 57: shutdown, crash, starting up, statement cancelled by a
 * time limit; 25P03: the server ended a transaction that idled. 40001, 40P01 and 55P03: it was chosen to end so that
 * others could go on, or waited for a row for too long, and was rolled back. Source: PostgreSQL, appendix A.
 */
const unavailableStates = /^(08|28|3D|53|57|25P03|40001|40P01|55P03)/

/**
 * Postgres ended the transaction to resolve a deadlock (40P01) or a serialization failure (40001), and rolled it back. The
 * same statements can be sent again at once.
 */
export function wasRolledBackForOthers(error: unknown): boolean {
  const code = errorCodeOf(error)
  return code === '40P01' || code === '40001'
}

/** The error code of a driver's error, also where Drizzle has wrapped it. */
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

/** The name of the constraint that a failed statement violated, if it failed for that. */
export function violatedConstraint(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { constraint_name: name } = at as { constraint_name?: unknown }
    if (typeof name === 'string') return name
  }
  return undefined
}

/** Whether an error carries a statement and its values in its message, and what the database said of it as its cause. */
export const isFailedStatement = (error: unknown): boolean => error instanceof DrizzleQueryError

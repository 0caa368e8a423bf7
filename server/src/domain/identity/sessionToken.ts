import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits, as the cookie carries them. */
export const newSessionToken = (): string => randomBytes(32).toString('base64url')

/** What is stored of a session; null for a text that no session ever had. */
export const hashSessionToken = (token: string): Buffer | null =>
  /^[A-Za-z0-9_-]{43}$/.test(token) ? createHash('sha256').update(token).digest() : null

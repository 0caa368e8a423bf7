import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { Unauthenticated } from '../refusals.ts'
import { KeySetUnavailable } from './keySetUnavailable.ts'
import { tokenClockToleranceSeconds } from './limits.ts'

/** How tokens (JWT, RFC 7519) of the host application are checked. */
export interface TokenSettings {
  readonly key: { readonly kind: 'jwks'; readonly url: string } | { readonly kind: 'secret'; readonly secret: string }
  /** The only ones accepted, whatever a token's header says: HS256… with a secret, RS256, ES256, EdDSA… with a key set. */
  readonly algorithms: readonly string[]
  readonly issuer: string
  readonly audience: string
  /** Paths of claims, see `claimAt`. */
  readonly claims: { readonly tenant: string; readonly userId: string; readonly name: string; readonly role: string }
}

/** Rejects with `Unauthenticated`, or with `KeySetUnavailable` when the key set cannot be asked. */
export type VerifyToken = (token: string, now: Date) => Promise<JWTPayload>

const symmetric = /^HS(256|384|512)$/
const asymmetric = /^(RS(256|384|512)|PS(256|384|512)|ES(256|384|512)|EdDSA|Ed25519)$/
/** RFC 7518, section 3.2: as long as the hash at least. */
const secretMinBytes = 32

/** Throws when the settings would let an algorithm be used with a key of the other kind. */
export function createTokenVerifier(settings: TokenSettings): VerifyToken {
  const { algorithms } = settings
  const key =
    settings.key.kind === 'secret'
      ? sharedSecret(settings.key.secret, algorithms)
      : keySet(settings.key.url, algorithms)
  return async (token, now) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [...algorithms],
        issuer: settings.issuer,
        audience: settings.audience,
        requiredClaims: ['exp'],
        clockTolerance: tokenClockToleranceSeconds,
        currentDate: now,
      })
      return payload
    } catch (error) {
      if (error instanceof KeySetUnavailable) throw error
      throw new Unauthenticated()
    }
  }
}

function sharedSecret(text: string, algorithms: readonly string[]): JWTVerifyGetKey {
  assertAlgorithms(algorithms, symmetric)
  const secret = new TextEncoder().encode(text)
  if (secret.length < secretMinBytes) throw new Error(`The shared secret needs at least ${secretMinBytes} bytes`)
  return async () => secret
}

function keySet(url: string, algorithms: readonly string[]): JWTVerifyGetKey {
  assertAlgorithms(algorithms, asymmetric)
  const remote = createRemoteJWKSet(new URL(url), { timeoutDuration: 3_000 })
  return async (header, token) => {
    try {
      return await remote(header, token)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error
      throw new KeySetUnavailable('The key set could not be fetched', { cause: error })
    }
  }
}

function assertAlgorithms(algorithms: readonly string[], allowed: RegExp): void {
  if (algorithms.length === 0 || !algorithms.every((algorithm) => allowed.test(algorithm))) {
    throw new Error(`These algorithms do not fit the kind of key: ${algorithms.join(', ') || 'none given'}`)
  }
}

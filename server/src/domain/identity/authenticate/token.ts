import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { v5 } from 'uuid'
import { z } from 'zod'
import { roles } from '../../../database/tables/identityTables.ts'
import type { Context, Principal } from '../../context.ts'
import { isId } from '../../ids.ts'
import { Forbidden, Unauthenticated } from '../../refusals.ts'
import { KeySetUnavailable } from '../../serviceUnavailable.ts'
import { findTenantById, findTenantBySlug } from '../../tenants/findTenant.ts'
import { isShowable, showableName } from '../../text.ts'
import { personNameMaxLength, subjectMaxLength, tokenClockToleranceSeconds } from '../limits.ts'
import { noSuchTenant } from '../roles.ts'

/**
 * The value of a claim by its path: `tenant`, `org.slug` for a nested claim, or `https://app.example/org.slug` for a
 * nested claim in a namespaced one. A claim whose own name contains dots takes precedence.
 */
export function claimAt(claims: unknown, path: string): unknown {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined
  const named: Record<string, unknown> = { ...claims }
  if (Object.hasOwn(named, path)) return named[path]
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const parent = path.slice(0, dot)
    if (!Object.hasOwn(named, parent)) continue
    const found = claimAt(named[parent], path.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * The principal of a token of the host application. Its id is derived from tenant and user, so that nothing is stored
 * before it changes something. A token without a role can only read. A token with an unknown role, or without tenant or
 * user, is refused.
 */
export async function authenticateToken(
  services: Pick<Context, 'database' | 'now'> & { readonly verifyToken: VerifyToken },
  claims: TokenSettings['claims'],
  token: string,
): Promise<Principal> {
  const payload = await services.verifyToken(token, services.now())
  const found = Object.entries(claims).map(([meaning, path]) => [meaning, claimAt(payload, path)])
  const read = claimed.safeParse(Object.fromEntries(found))
  if (!read.success) throw new Unauthenticated()
  const { userId: subject, role, tenant, name } = read.data
  const tenantId = await tenantOf(services, tenant)
  return { tenantId, id: v5(subject, tenantId), kind: 'EXTERNAL', subject, name: name ?? subject, email: null, role }
}

/** The shape of the claims, after they are found by their paths. */
const claimed = z.object({
  tenant: z.string().min(1),
  // Host applications also use numeric user ids.
  userId: z
    .union([z.string(), z.int().transform(String)])
    .refine((text) => text.trim() !== '' && text.length <= subjectMaxLength && isShowable(text)),
  role: z.string().toUpperCase().pipe(z.enum(roles)).default('VIEWER'),
  // A name that cannot be displayed does not invalidate the token.
  name: z
    .string()
    .transform((name) => showableName(name, personNameMaxLength))
    .nullable()
    .catch(null),
})

async function tenantOf(services: Pick<Context, 'database'>, claim: string): Promise<string> {
  const find = isId(claim) ? findTenantById : findTenantBySlug
  const tenant = await find(services.database, claim)
  if (!tenant) throw new Forbidden(noSuchTenant)
  return tenant.id
}

/** How to verify tokens (JWT, RFC 7519) of the host application. */
export interface TokenSettings {
  readonly key: { readonly kind: 'jwks'; readonly url: string } | { readonly kind: 'secret'; readonly secret: string }
  /**
   * The accepted algorithms, regardless of the token's header: HS256… with a secret, RS256, ES256, EdDSA… with a key
   * set.
   */
  readonly algorithms: readonly string[]
  readonly issuer: string
  readonly audience: string
  /** Paths of claims, see `claimAt`. */
  readonly claims: { readonly tenant: string; readonly userId: string; readonly name: string; readonly role: string }
}

/** Rejects with `Unauthenticated`, or with `KeySetUnavailable` if the key set cannot be fetched. */
export type VerifyToken = (token: string, now: Date) => Promise<JWTPayload>

const symmetric = /^HS(256|384|512)$/
const asymmetric = /^(RS(256|384|512)|PS(256|384|512)|ES(256|384|512)|EdDSA|Ed25519)$/
/** RFC 7518, section 3.2: at least as long as the hash. */
const secretMinBytes = 32

/** Throws if the settings combine an algorithm with the wrong kind of key. */
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

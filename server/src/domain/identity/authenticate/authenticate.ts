import type { Context, Principal } from '../../context.ts'
import { Forbidden, Unauthenticated } from '../../refusals.ts'
import { findTenantBySlug } from '../../tenants/findTenant.ts'
import { noSuchTenant } from '../roles.ts'
import { recogniseApiKey, type CheckedKeys, KeyProof } from './apiKey.ts'
import type { KeyUse } from './keyUse.ts'
import { authenticateSession } from './session.ts'
import { authenticateToken, type TokenSettings, type VerifyToken } from './token.ts'

/** The credentials in a request. Null if they were not sent. */
export interface Credentials {
  /** The `authorization` header. */
  readonly authorization: string | null
  readonly sessionToken: string | null
  readonly tenantSlug: string | null
}

export type IdentityServices = Pick<Context, 'database' | 'now'> & {
  readonly keyUse: KeyUse
  readonly checkedKeys: CheckedKeys
  /** Null if tokens of a host application are not accepted. */
  readonly tokens: { readonly verifyToken: VerifyToken; readonly claims: TokenSettings['claims'] } | null
}

export interface Caller {
  readonly principal: Principal
  /** Null if nothing is left to prove. */
  readonly proof: KeyProof | null
}

/**
 * Returns the caller, or null without credentials. If there is an `authorization` header, the cookie is ignored.
 * Rejects with `Unauthenticated`, with `Forbidden` for the tenant, or with `DatabaseUnavailable` or
 * `KeySetUnavailable`.
 */
export async function authenticate(services: IdentityServices, given: Credentials): Promise<Caller | null> {
  if (given.authorization !== null) return authenticateBearer(services, given.authorization, given.tenantSlug)
  if (given.sessionToken !== null)
    return proved(await authenticateSession(services, given.sessionToken, given.tenantSlug))
  return null
}

async function authenticateBearer(services: IdentityServices, authorization: string, tenantSlug: string | null) {
  const [, credential] = /^Bearer +(\S+) *$/i.exec(authorization) ?? []
  if (credential === undefined) throw new Unauthenticated()
  const caller = await callerOf(services, credential)
  if (tenantSlug === null) return caller
  const tenant = await findTenantBySlug(services.database, tenantSlug)
  if (tenant?.id !== caller.principal.tenantId) throw new Forbidden(noSuchTenant)
  return caller
}

async function callerOf(services: IdentityServices, credential: string): Promise<Caller> {
  if (credential.startsWith('fgk_')) {
    const principal = await recogniseApiKey(services, credential)
    return { principal, proof: new KeyProof(services, credential, principal) }
  }
  const { tokens } = services
  if (tokens === null) throw new Unauthenticated()
  return proved(await authenticateToken({ ...services, verifyToken: tokens.verifyToken }, tokens.claims, credential))
}

const proved = (principal: Principal): Caller => ({ principal, proof: null })

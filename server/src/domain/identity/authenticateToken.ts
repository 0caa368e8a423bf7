import { v5 } from 'uuid'
import type { Context, Principal, Role } from '../context.ts'
import { isId } from '../newId.ts'
import { Forbidden, Unauthenticated } from '../refusals.ts'
import { findTenantById, findTenantBySlug } from '../tenants/findTenant.ts'
import { claimAt } from './claimAt.ts'
import { personNameMaxLength, subjectMaxLength } from './limits.ts'
import { noSuchTenant } from './noSuchTenant.ts'
import { isShowable, showableName } from './personalText.ts'
import { isRole } from './roles.ts'
import type { TokenSettings, VerifyToken } from './tokenVerifier.ts'

/**
 * The principal that a token of the host application stands for. Its id follows from tenant and user, so that nothing
 * has to be stored before it changes something. A token without a role reads only; one with a role that we do not know
 * is refused, as is one without tenant or user.
 */
export async function authenticateToken(
  services: Pick<Context, 'database' | 'now'> & { readonly verifyToken: VerifyToken },
  claims: TokenSettings['claims'],
  token: string,
): Promise<Principal> {
  const payload = await services.verifyToken(token, services.now())
  const subject = subjectOf(claimAt(payload, claims.userId))
  const role = roleOf(claimAt(payload, claims.role))
  const tenantId = await tenantOf(services, claimAt(payload, claims.tenant))
  const name = claimAt(payload, claims.name)
  return {
    tenantId,
    id: v5(subject, tenantId),
    kind: 'EXTERNAL',
    subject,
    name: (typeof name === 'string' ? showableName(name, personNameMaxLength) : null) ?? subject,
    email: null,
    role,
  }
}

/** Host applications number their users too. */
function subjectOf(claim: unknown): string {
  const subject = Number.isSafeInteger(claim) ? String(claim) : claim
  if (typeof subject !== 'string' || subject.trim() === '') throw new Unauthenticated()
  if (subject.length > subjectMaxLength || !isShowable(subject)) throw new Unauthenticated()
  return subject
}

function roleOf(claim: unknown): Role {
  if (claim === undefined) return 'VIEWER'
  const role = typeof claim === 'string' ? claim.toUpperCase() : null
  if (!isRole(role)) throw new Unauthenticated()
  return role
}

async function tenantOf(services: Pick<Context, 'database'>, claim: unknown): Promise<string> {
  if (typeof claim !== 'string' || claim === '') throw new Unauthenticated()
  const find = isId(claim) ? findTenantById : findTenantBySlug
  const tenant = await find(services.database, claim)
  if (!tenant) throw new Forbidden(noSuchTenant)
  return tenant.id
}

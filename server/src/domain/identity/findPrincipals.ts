import { and } from 'drizzle-orm'
import { isAnyOf } from '../../database/isAnyOf.ts'
import { principals } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import type { PrincipalKind } from '../context.ts'

/** A principal as others see it. */
export interface KnownPrincipal {
  readonly id: string
  readonly kind: PrincipalKind
  readonly name: string
  readonly email: string | null
}

/** Whoever has acted in the tenant, by id, in no particular order. */
export const findPrincipals = (tx: Transaction, ids: readonly string[]): Promise<KnownPrincipal[]> =>
  tx.db
    .select({ id: principals.id, kind: principals.kind, name: principals.name, email: principals.email })
    .from(principals)
    .where(and(tx.mine(principals), isAnyOf(principals.id, ids)))

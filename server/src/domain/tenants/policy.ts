import { eq } from 'drizzle-orm'
import { tenants } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'

export type Tenant = typeof tenants.$inferSelect

/** The tenant of the transaction, with its policy. */
export async function readTenant(tx: Transaction): Promise<Tenant> {
  const [tenant] = await tx.db.select().from(tenants).where(eq(tenants.id, tx.tenantId))
  if (!tenant) throw new Error(`Tenant ${tx.tenantId} has no row`)
  return tenant
}

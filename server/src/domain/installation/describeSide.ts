import { hostname } from 'node:os'
import { and, desc, isNull } from 'drizzle-orm'
import pMap from 'p-map'
import { z } from 'zod'
import { files } from '../../database/tables/fileTables.ts'
import { tenantUsage } from '../../database/tables/identityTables.ts'
import { auditLog } from '../../database/tables/journalTables.ts'
import type { TenantDatabase, Transaction } from '../../database/tenantDatabase.ts'
import { listTenantNames } from '../tenants/findTenant.ts'
import type { DatabaseServer, Installation } from './installation.ts'

/** The facts about a database for a person who decides which one is live. Written into vetoes. */
export const sideShape = z
  .object({
    installationId: z.string(),
    generation: z.number(),
    databaseName: z.string(),
    host: z.string(),
    tenants: z.number(),
    /** The number of tenants in the sums. */
    tenantsCounted: z.number(),
    files: z.number(),
    trashedFiles: z.number(),
    versions: z.number(),
    storedBytes: z.number(),
    newestUploadAt: z.string().nullable(),
    lastChangeAt: z.string().nullable(),
  })
  .readonly()
export type Side = z.infer<typeof sideShape>

const mostTenants = 1_000
const tenantsAtOnce = 4

/** Counts the first thousand tenants. */
export async function describeSide(
  database: TenantDatabase,
  { id, generation }: Installation,
  { databaseName }: DatabaseServer,
): Promise<Side> {
  const tenants = await listTenantNames(database)
  const counted = tenants.slice(0, mostTenants)
  const facts = await pMap(counted, (tenant) => database.read(tenant.id, readFacts), { concurrency: tenantsAtOnce })
  const sum = (of: (fact: TenantFacts) => number) => facts.reduce((all, fact) => all + of(fact), 0)
  const newest = (of: (fact: TenantFacts) => Date | null) =>
    facts.reduce<string | null>((last, fact) => {
      const at = of(fact)?.toISOString() ?? null
      return at !== null && (last === null || at > last) ? at : last
    }, null)
  return {
    installationId: id,
    generation,
    databaseName,
    host: hostname(),
    tenants: tenants.length,
    tenantsCounted: counted.length,
    files: sum(({ usage }) => usage?.fileCount ?? 0),
    trashedFiles: sum(({ usage }) => usage?.trashedCount ?? 0),
    versions: sum(({ usage }) => usage?.versionCount ?? 0),
    storedBytes: sum(({ usage }) => usage?.storedBytes ?? 0),
    newestUploadAt: newest(({ newestUploadAt }) => newestUploadAt),
    lastChangeAt: newest(({ lastChangeAt }) => lastChangeAt),
  }
}

type TenantFacts = Awaited<ReturnType<typeof readFacts>>

async function readFacts(tx: Transaction) {
  const [usage] = await tx.db.select().from(tenantUsage).where(tx.inTenant(tenantUsage))
  const [file] = await tx.db
    .select({ at: files.uploadedAt })
    .from(files)
    .where(and(tx.inTenant(files), isNull(files.softDeletedAt)))
    .orderBy(desc(files.uploadedAt), desc(files.id))
    .limit(1)
  const [entry] = await tx.db
    .select({ at: auditLog.at })
    .from(auditLog)
    .where(tx.inTenant(auditLog))
    .orderBy(desc(auditLog.at), desc(auditLog.id))
    .limit(1)
  return { usage, newestUploadAt: file?.at ?? null, lastChangeAt: entry?.at ?? null }
}

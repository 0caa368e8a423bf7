import type { SQL } from 'drizzle-orm'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'

const pageRows = 500
const beforeAll = '00000000-0000-0000-0000-000000000000'

/**
 * Rows of a tenant by id, a page at a time. Each page is one statement and so one moment: what it compares holds together,
 * whatever changes meanwhile. `select` gets the id behind which it reads and how many rows it may read.
 */
export async function* readInPages<Row extends { readonly id: string }>(
  database: TenantDatabase,
  tenantId: string,
  select: (after: string, limit: number) => SQL,
): AsyncGenerator<Row> {
  for (let after = beforeAll; ;) {
    const rows = await readRows<Row>(database, tenantId, select(after, pageRows))
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < pageRows) return
    after = last.id
  }
}

/** Reads with one statement; columns by the names that it gives them. */
export const readRows = <Row>(database: TenantDatabase, tenantId: string, statement: SQL): Promise<Row[]> =>
  database.readOnce(tenantId, async (tx) => (await tx.db.execute(statement)) as unknown as Row[])

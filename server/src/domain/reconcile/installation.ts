import { randomUUID } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import { installation } from '../../database/tables/cleanupTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'

/** Which installation a database belongs to, and how far it has come. */
export type Installation = Omit<typeof installation.$inferSelect, 'singleton'>

export interface Generation {
  readonly id: string
  readonly generation: number
  readonly token: string
}

/** The row, which is made where there is none yet. */
export async function readInstallation(database: TenantDatabase): Promise<Installation> {
  return database.lookUp(async (db) => {
    const [known] = await db.select().from(installation)
    if (known) return known
    const made = {
      singleton: 1,
      id: randomUUID(),
      generation: 0,
      token: randomUUID(),
      nextToken: null,
      isMarked: false,
    }
    await db.insert(installation).values(made).onConflictDoNothing()
    const [row] = await db.select().from(installation)
    if (!row) throw new Error('The row of the installation could not be made')
    return row
  })
}

/** What the next generation is: everybody who asks before it is confirmed gets the same. `atLeast` skips generations. */
export async function prepareGeneration(database: TenantDatabase, atLeast = 0): Promise<Generation> {
  return database.lookUp(async (db) => {
    const [row] = await db.select().from(installation).for('update')
    if (!row) throw new Error('The row of the installation is gone')
    const generation = Math.max(row.generation, atLeast)
    const token = row.nextToken ?? randomUUID()
    await db.update(installation).set({ generation, nextToken: token })
    return { id: row.id, generation: generation + 1, token }
  })
}

/** Takes a prepared generation as the one that holds, once its marker is known to be in the bucket. */
export async function confirmGeneration(
  database: TenantDatabase,
  { generation, token }: Omit<Generation, 'id'>,
): Promise<void> {
  await database.lookUp((db) =>
    db
      .update(installation)
      .set({ generation, token, nextToken: null, isMarked: true })
      .where(and(eq(installation.generation, generation - 1), eq(installation.nextToken, token))),
  )
}

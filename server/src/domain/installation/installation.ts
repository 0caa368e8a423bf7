import { randomUUID } from 'node:crypto'
import { and, eq, isNull, ne, or, sql } from 'drizzle-orm'
import type { PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import { databaseClock } from '../../database/lockRows.ts'
import { installation } from '../../database/tables/cleanupTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'

/** The installation that a database belongs to, and its generation. */
export type Installation = Omit<typeof installation.$inferSelect, 'singleton'>

/** The server process and the database. A copy differs in at least one of these values. */
export interface DatabaseServer {
  /**
   * Identifies the cluster. Replicas and copies of the disk keep it; a restored dump has another one. Null: not
   * readable.
   */
  readonly systemIdentifier: string | null
  readonly databaseOid: number
  readonly databaseName: string
  /** Seconds since 1970, with microseconds. Text, because it is only compared. */
  readonly startedAt: string
  /** The database's clock when this was read. */
  readonly now: Date
}

export interface Generation {
  readonly id: string
  readonly generation: number
  readonly token: string
}

type Connection = PgRemoteDatabase

/** Reads the row, and creates it if it is missing. */
export const readInstallation = (database: TenantDatabase): Promise<Installation> => database.lookUp(selectRow)

/** Reads the row and its server in one snapshot. */
export const readInstallationOnServer = (
  database: TenantDatabase,
): Promise<{ readonly installation: Installation; readonly server: DatabaseServer }> =>
  database.lookUp(async (db) => ({ installation: await selectRow(db), server: await readServer(db) }))

async function selectRow(db: Connection): Promise<Installation> {
  const [known] = await db.select().from(installation)
  if (known) return known
  const made = { singleton: 1, id: randomUUID(), generation: 0, token: randomUUID(), isMarked: false }
  await db.insert(installation).values(made).onConflictDoNothing()
  const [row] = await db.select().from(installation)
  if (!row) throw new Error('The row of the installation could not be created')
  return row
}

async function readServer(db: Connection): Promise<DatabaseServer> {
  // Some managed services restrict the control data. Calling the function without the privilege would abort the
  // transaction.
  const [may] = await db.execute(sql`select has_function_privilege('pg_control_system()', 'execute') as "isReadable"`)
  const identifier =
    may?.['isReadable'] === true ? sql`(select system_identifier::text from pg_control_system())` : null
  const [row] = await db.execute(sql`select ${identifier ?? sql`null::text`} as "systemIdentifier",
      d.oid::text as "databaseOid", d.datname::text as "databaseName",
      extract(epoch from pg_postmaster_start_time())::text as "startedAt", ${databaseClock} as now
    from pg_database d where d.datname = current_database()`)
  if (!row) throw new Error('The database does not know its own name')
  const { systemIdentifier, databaseOid, databaseName, startedAt, now } = row
  return {
    systemIdentifier: systemIdentifier === null ? null : String(systemIdentifier),
    databaseOid: Number(databaseOid),
    databaseName: String(databaseName),
    startedAt: String(startedAt),
    now: new Date(String(now)),
  }
}

/** Prepares the next generation. Returns the same one until it is confirmed. `atLeast` skips generations. */
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

/** Makes a prepared generation the current one, after its marker is known to be in the bucket. */
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

/**
 * Records the server that writes the markers. A new server must write them for some time before it may delete (see
 * `settlingSince`), unless a person has just decided. The very first marker needs no such time.
 */
export async function keepServer(
  database: TenantDatabase,
  server: DatabaseServer,
  settlingSince: Date | null,
): Promise<void> {
  await database.lookUp((db) =>
    db
      .update(installation)
      .set({
        systemIdentifier: server.systemIdentifier,
        databaseOid: server.databaseOid,
        serverStartedAt: server.startedAt,
        settlingSince,
      })
      .where(or(isNull(installation.serverStartedAt), ne(installation.serverStartedAt, server.startedAt))),
  )
}

/** Records in the row that deletes are refused, for all processes. Null: they are allowed again. */
export async function noteRefusal(database: TenantDatabase, refusal: string | null, now: Date): Promise<void> {
  await database.lookUp((db) =>
    refusal === null
      ? db.update(installation).set({ refusal: null, refusedSince: null })
      : db.update(installation).set({
          refusal,
          refusedSince: sql`case when ${installation.refusal} is null then ${now.toISOString()}::timestamptz else ${installation.refusedSince} end`,
        }),
  )
}

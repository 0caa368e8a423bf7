import { sql } from 'drizzle-orm'
import { principals } from '../database/tables/identityTables.ts'
import type { TenantDatabase, Transaction } from '../database/tenantDatabase.ts'
import { accesses, changes, type JournalAction, releases } from './actions.ts'
import type { Context } from './context.ts'
import { newId } from './ids.ts'
import { together } from './together.ts'

/** What a write needs of a context; a job has no request and acts as the system. */
export type Actor = Pick<Context, 'principal' | 'origin' | 'database' | 'now'>

/** What changed, as recorded in the audit log and the journal. */
export interface ChangeRecord {
  readonly action: JournalAction
  readonly id: string
  /** What people call the subject; null where it has no name. */
  readonly name: string | null
  /** Facts worth keeping: no secret, signature or URL. */
  readonly payload?: Readonly<Record<string, unknown>>
}

/** What to add to the tenant's counters. */
export interface UsageChange {
  readonly fileCount?: number
  readonly trashedCount?: number
  readonly versionCount?: number
  readonly storedBytes?: number
  readonly reservedBytes?: number
  /** Reserved bytes that are given back, at least down to 0: a process of an earlier version may have done so before. */
  readonly freedBytes?: number
}

/** What a change answers with, and what it says about itself. */
export interface Changed<T> {
  readonly answer: T
  /** Numbered in this order. */
  readonly records: readonly ChangeRecord[]
  readonly usage?: UsageChange
}

/** For a verb that finds nothing to do: what was asked for holds already. */
export const unchanged = <T>(answer: T): Changed<T> => ({ answer, records: [] })

/** For a verb whose database function has written the records, as it does for a host application. */
export const recordedByDatabase = <T>(answer: T): Changed<T> => unchanged(answer)

/**
 * Changes facts of the caller's tenant: the only way to a transaction that writes them. `work` sends its statements and says
 * what it has changed. The audit entries and events of that, with the next numbers of the tenant's journal, and the counters
 * go out together with the COMMIT.
 *
 * The journal is gapless and in commit order, since its number is taken under the lock of the tenant's usage, which is the last
 * lock of the transaction. All writers take locks in one order, so that no two wait for each other: principals, files,
 * uploads, blobs, attachments, usage; rows of one table by id (decision 22).
 *
 * `beforeAll` sends what has to be there before the row of the principal: the tenant itself, when it is made.
 *
 * `work` can run twice, if Postgres ends the first transaction to resolve a deadlock: it must change nothing but rows, and must
 * not ask the bucket.
 */
export const change = <T>(
  ctx: Actor,
  work: (tx: Transaction) => Promise<Changed<T>>,
  beforeAll: (tx: Transaction) => PromiseLike<unknown> = async () => undefined,
): Promise<T> =>
  ctx.database.write(ctx.principal.tenantId, async (tx) => {
    const { changed } = await together({
      first: () => beforeAll(tx),
      principal: () => ensurePrincipal(tx, ctx),
      changed: () => work(tx),
    })
    if (changed.records.length > 0 || changed.usage) await recordChanges(tx, ctx, changed)
    return changed.answer
  })

/**
 * Writes rows about Filegraph's own work, such as the state of a run, the claim on a blob or when bytes were last verified. No
 * fact that people or programs follow may be changed here.
 */
export const writeInternal = <T>(ctx: Actor, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  ctx.database.write(ctx.principal.tenantId, async (tx) => {
    const { answer } = await together({ principal: () => ensurePrincipal(tx, ctx), answer: () => work(tx) })
    return answer
  })

/** The same where nobody acts: a counter that is mended, the time when a key was last used. */
export const writeUnattended = <T>(
  database: TenantDatabase,
  tenantId: string,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> => database.write(tenantId, work)

/** Inserts the principal row of a host application's user, or of the system, when they first change something. */
async function ensurePrincipal(tx: Transaction, { principal, now }: Actor): Promise<void> {
  if (principal.kind === 'USER' || principal.kind === 'API_KEY') return
  const { id, kind, subject, name, email } = principal
  await tx.db
    .insert(principals)
    .values({ tenantId: tx.tenantId, id, kind, subject, name, email, createdAt: now() })
    .onConflictDoNothing()
}

const subjectTypes = { ...changes, ...accesses, ...releases }

const recordChanges = (tx: Transaction, ctx: Actor, { records, usage = {} }: Changed<unknown>): Promise<unknown> => {
  const now = ctx.now()
  const told = records.map(({ action, id, name, payload = {} }) => ({
    event: newId(now),
    entry: action in releases ? null : newId(now),
    type: action,
    subjectType: subjectTypes[action],
    subjectId: id,
    name,
    payload,
  }))
  return tx.finish(sql`select record_changes(${ctx.principal.id}::uuid, ${json(ctx.origin)}, ${now.toISOString()}::timestamptz,
    ${json(told)}, ${json(usage)})`)
}

/** As text first, since the driver would write a string into a parameter of type jsonb a second time. */
const json = (value: unknown) => sql`${JSON.stringify(value)}::text::jsonb`

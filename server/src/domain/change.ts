import { type SQL, sql } from 'drizzle-orm'
import { onlyRow } from '../database/onlyRow.ts'
import { principals } from '../database/tables/identityTables.ts'
import type { TenantDatabase, Transaction } from '../database/tenantDatabase.ts'
import { accesses, changes, type JournalAction, releases } from './actions.ts'
import type { Context } from './context.ts'
import { newId } from './ids.ts'
import { together } from './together.ts'

/** The part of a context that a write needs. A job has no request and acts as the system principal. */
export type Actor = Pick<Context, 'principal' | 'origin' | 'database' | 'now'>

/** One entry for the audit log and the journal. */
export interface ChangeRecord {
  readonly action: JournalAction
  readonly id: string
  /** The display name of the subject. Null if it has none. */
  readonly name: string | null
  /** Must hold no secret, signature or URL. */
  readonly payload?: Readonly<Record<string, unknown>>
}

/** What to add to the tenant's counters. */
export interface UsageChange {
  readonly fileCount?: number
  readonly trashedCount?: number
  readonly versionCount?: number
  readonly storedBytes?: number
  readonly reservedBytes?: number
  /** Reserved bytes to release. The counter stops at 0, because a process of an earlier version may have released them already. */
  readonly freedBytes?: number
}

/** The result of a change, and the records to write for it. */
export interface Changed<T> {
  readonly answer: T
  /** Numbered in this order. */
  readonly records: readonly ChangeRecord[]
  readonly usage?: UsageChange
}

/** For a verb that finds nothing to do because the requested state already exists. */
export const unchanged = <T>(answer: T): Changed<T> => ({ answer, records: [] })

/**
 * Runs `work` in a transaction that changes facts of the caller's tenant. `work` sends its statements and returns the records
 * of what it changed. The audit entries, the events with the next numbers of the tenant's journal, and the counters are sent
 * together with the COMMIT.
 *
 * The journal has no gaps and is in commit order: the transaction takes the number under the lock on the tenant's usage row,
 * which is the last lock that it takes. All writers take locks in one order, so that they cannot deadlock: principals, files,
 * uploads, blobs, attachments, usage; rows of one table by id (decision 22).
 *
 * `beforeAll` sends the statements that must precede the insert of the principal. Only the creation of a tenant needs it.
 *
 * `work` runs a second time if Postgres ends the first transaction to resolve a deadlock. It must change nothing but rows and
 * must not call the bucket.
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
 * Changes facts by calling a database function that writes the audit entry and the event itself, as it does when a host
 * application calls it. No other verb may leave the records to the database, so only this function makes the call. `toAnswer`
 * gets the outcome that the function returned and reads the answer in the same transaction.
 */
export const changeByFunction = <Outcome extends string, T>(
  ctx: Actor,
  call: SQL<Outcome>,
  toAnswer: (tx: Transaction, outcome: Outcome) => Promise<T>,
): Promise<T> =>
  writeInternal(ctx, async (tx) => {
    const rows = await tx.db.execute(sql`select ${call} as outcome`)
    const { outcome } = onlyRow(rows as unknown as readonly { readonly outcome: Outcome }[])
    return toAnswer(tx, outcome)
  })

/**
 * Writes rows about Filegraph's own work, such as the state of a run, the claim on a blob or the time of a verification. Facts
 * that an audit entry or an event has to report must not be changed here.
 */
export const writeInternal = <T>(ctx: Actor, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  ctx.database.write(ctx.principal.tenantId, async (tx) => {
    const { answer } = await together({ principal: () => ensurePrincipal(tx, ctx), answer: () => work(tx) })
    return answer
  })

/** As `writeInternal`, without a principal: to repair a counter, or to note when a key was last used. */
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
  const entries = records.map(({ action, id, name, payload = {} }) => ({
    event: newId(now),
    entry: action in releases ? null : newId(now),
    type: action,
    subjectType: subjectTypes[action],
    subjectId: id,
    name,
    payload,
  }))
  return tx.finish(sql`select record_changes(${ctx.principal.id}::uuid, ${json(ctx.origin)}, ${now.toISOString()}::timestamptz,
    ${json(entries)}, ${json(usage)})`)
}

/** Cast from text, because the driver would encode a string for a jsonb parameter a second time. */
const json = (value: unknown) => sql`${JSON.stringify(value)}::text::jsonb`

import { auditLog, events } from '../../database/tables/journalTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { atOnce } from '../atOnce.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { accesses, type AccessAction, type ChangeAction, changes } from './actions.ts'

export interface Subject {
  readonly id: string
  /** What people call it; null where it has no name. */
  readonly name: string | null
  /** Facts worth keeping: no secret, signature or URL. */
  readonly payload?: Record<string, unknown>
}

/** What recording needs of a context; a job has no request and acts as the system. */
export type Actor = Pick<Context, 'principal' | 'origin' | 'now'>

/** Writes the one audit entry and the one event of a change, in the transaction that makes it. */
export const recordChange = (tx: Transaction, by: Actor, action: ChangeAction, subject: Subject): Promise<void> =>
  recordChanges(tx, by, action, [subject])

/** The same for one change each to several things. */
export async function recordChanges(
  tx: Transaction,
  by: Actor,
  action: ChangeAction,
  subjects: readonly Subject[],
): Promise<void> {
  const told = subjects.map(({ id, name, payload }) => ({
    type: action,
    subjectType: changes[action],
    subjectId: id,
    payload: { name, ...payload },
  }))
  await atOnce(
    () => recordAudit(tx, by, action, changes[action], subjects),
    () => recordEvents(tx, by.now(), told),
  )
}

/** Writes into the journal alone: what is no change in the eyes of people. */
export async function recordEvents(
  tx: Transaction,
  now: Date,
  rows: readonly Pick<typeof events.$inferInsert, 'type' | 'subjectType' | 'subjectId' | 'payload'>[],
): Promise<void> {
  const inserts = inSteadySizes(rows).map(
    (some) => () =>
      tx.db
        .insert(events)
        .values(some.map((row) => ({ ...row, tenantId: tx.tenantId, id: newId(now), createdAt: now }))),
  )
  await atOnce(...inserts)
}

const batchRows = 50

/** Full batches and single rows: each number of rows is a statement text of its own, to be prepared and kept. */
function inSteadySizes<T>(rows: readonly T[]): T[][] {
  const whole = rows.length - (rows.length % batchRows)
  const batches = Array.from({ length: whole / batchRows }, (_, at) => rows.slice(at * batchRows, (at + 1) * batchRows))
  return [...batches, ...rows.slice(whole).map((row) => [row])]
}

/** Writes the audit entry of something that changed nothing, such as a download address that was given out. */
export async function recordAccess(tx: Transaction, by: Actor, action: AccessAction, subject: Subject): Promise<void> {
  await recordAudit(tx, by, action, accesses[action], [subject])
}

async function recordAudit(
  tx: Transaction,
  by: Actor,
  action: string,
  subjectType: string,
  subjects: readonly Subject[],
): Promise<void> {
  const at = by.now()
  const { requestId, address, userAgent } = by.origin
  const shared = { tenantId: tx.tenantId, at, actorId: by.principal.id, action, subjectType, requestId, address }
  const entryOf = (subject: Subject) => ({
    ...shared,
    id: newId(at),
    subjectId: subject.id,
    subjectName: subject.name,
    payload: subject.payload ?? {},
    userAgent: userAgent?.slice(0, 300) ?? null,
  })
  const inserts = inSteadySizes(subjects).map((some) => () => tx.db.insert(auditLog).values(some.map(entryOf)))
  await atOnce(...inserts)
}

import { auditLog, events, principals } from '../../database/tables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import type { Context } from '../context.ts'
import { newId } from '../newId.ts'
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
export async function recordChange(tx: Transaction, by: Actor, action: ChangeAction, subject: Subject): Promise<void> {
  await recordAudit(tx, by, action, changes[action], subject)
  await tx.db.insert(events).values({
    tenantId: tx.tenantId,
    id: newId(by.now()),
    type: action,
    subjectType: changes[action],
    subjectId: subject.id,
    payload: { name: subject.name, ...subject.payload },
    createdAt: by.now(),
  })
}

/** Writes the audit entry of something that changed nothing, such as a download address that was given out. */
export async function recordAccess(tx: Transaction, by: Actor, action: AccessAction, subject: Subject): Promise<void> {
  await recordAudit(tx, by, action, accesses[action], subject)
}

async function recordAudit(tx: Transaction, by: Actor, action: string, subjectType: string, subject: Subject) {
  await ensurePrincipal(tx, by)
  await tx.db.insert(auditLog).values({
    tenantId: tx.tenantId,
    id: newId(by.now()),
    at: by.now(),
    actorId: by.principal.id,
    action,
    subjectType,
    subjectId: subject.id,
    subjectName: subject.name,
    payload: subject.payload ?? {},
    requestId: by.origin.requestId,
    address: by.origin.address,
    userAgent: by.origin.userAgent?.slice(0, 300) ?? null,
  })
}

/** Users of a host application and the system itself get the row that stands for them when they first change something. */
export async function ensurePrincipal(tx: Transaction, by: Pick<Actor, 'principal' | 'now'>): Promise<void> {
  const { principal } = by
  if (principal.kind === 'USER' || principal.kind === 'API_KEY') return
  await tx.db
    .insert(principals)
    .values({
      tenantId: tx.tenantId,
      id: principal.id,
      kind: principal.kind,
      subject: principal.subject,
      name: principal.name,
      email: principal.email,
      createdAt: by.now(),
    })
    .onConflictDoNothing()
}

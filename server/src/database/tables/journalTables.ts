import { sql } from 'drizzle-orm'
import { foreignKey, index, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, moment, tenantId } from './columns.ts'
import { principals, tenantKey } from './identityTables.ts'

/* The history of a tenant: events for programs, audit entries for people. */

/**
 * The journal of a tenant. The transaction that makes a change writes its row. `seq` counts from 1 without gaps, in
 * commit order.
 */
export const events = pgTable(
  'events',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    seq: bytes('seq').notNull(),
    type: text('type').notNull(),
    subjectType: text('subject_type').notNull(),
    subjectId: uuid('subject_id').notNull(),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    createdAt: moment('created_at').notNull(),
    publishedAt: moment('published_at'),
  },
  (t) => [
    primaryKey({ name: 'events_pk', columns: [t.tenantId, t.id] }),
    tenantKey('events_tenant', t.tenantId),
    index('events_unpublished')
      .on(t.tenantId, t.id)
      .where(sql`published_at is null`),
    unique('events_journal').on(t.tenantId, t.seq),
    index('events_by_subject').on(t.tenantId, t.subjectId, t.type),
  ],
)

/**
 * The audit log: one entry for each change and each recorded access. An entry has the `seq` of its event. Append-only:
 * UPDATE, DELETE and TRUNCATE are revoked and refused by triggers.
 */
export const auditLog = pgTable(
  'audit_log',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    seq: bytes('seq').notNull(),
    at: moment('at').notNull(),
    actorId: uuid('actor_id').notNull(),
    action: text('action').notNull(),
    subjectType: text('subject_type').notNull(),
    subjectId: uuid('subject_id').notNull(),
    /** The name of the subject at that time. */
    subjectName: text('subject_name'),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    requestId: text('request_id'),
    address: text('address'),
    userAgent: text('user_agent'),
  },
  (t) => [
    primaryKey({ name: 'audit_log_pk', columns: [t.tenantId, t.id] }),
    tenantKey('audit_log_tenant', t.tenantId),
    unique('audit_log_seq').on(t.tenantId, t.seq),
    foreignKey({
      name: 'audit_log_actor',
      columns: [t.tenantId, t.actorId],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    index('audit_log_newest').on(t.tenantId, t.at, t.id),
    index('audit_log_by_action').on(t.tenantId, t.action, t.at, t.id),
    index('audit_log_by_actor').on(t.tenantId, t.actorId, t.at, t.id),
    index('audit_log_by_subject').on(t.tenantId, t.subjectId, t.at, t.id),
  ],
)

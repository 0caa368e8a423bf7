import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, inAnyTenant, moment, oneOf, tenantId } from './columns.ts'
import { files, retentions } from './fileTables.ts'
import { principals, tenantKey } from './identityTables.ts'

export const uploadStates = ['PENDING', 'COMMITTED', 'CANCELLED', 'EXPIRED'] as const

export const uploads = pgTable(
  'uploads',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** Not a foreign key: the intent remains as history after its bytes are purged. */
    blobId: uuid('blob_id').notNull(),
    /** The file that gets a new version. Null: the commit creates a new file. */
    targetFileId: uuid('target_file_id'),
    state: text('state', { enum: uploadStates }).notNull(),
    declaredName: text('declared_name').notNull(),
    declaredContentType: text('declared_content_type').notNull(),
    declaredByteSize: bytes('declared_byte_size').notNull(),
    declaredSha256: text('declared_sha256'),
    /** The retention of a new file. A new version does not change that of its file. */
    retention: text('retention', { enum: retentions }).notNull().default('KEPT'),
    idempotencyKey: text('idempotency_key'),
    createdBy: uuid('created_by').notNull(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at').notNull(),
    finishedAt: moment('finished_at'),
    /** The result of the commit. */
    fileId: uuid('file_id'),
    version: integer('version'),
    /** Why the stored bytes were refused, in a sentence for people. A repeated commit gets the same answer. */
    refusal: text('refusal'),
  },
  (t) => [
    primaryKey({ name: 'uploads_pk', columns: [t.tenantId, t.id] }),
    tenantKey('uploads_tenant', t.tenantId),
    foreignKey({
      name: 'uploads_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'uploads_target_file',
      columns: [t.tenantId, t.targetFileId],
      foreignColumns: [files.tenantId, files.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'uploads_file',
      columns: [t.tenantId, t.fileId],
      foreignColumns: [files.tenantId, files.id],
    }).onDelete('restrict'),
    unique('uploads_idempotency').on(t.tenantId, t.createdBy, t.idempotencyKey),
    index('uploads_created').on(t.tenantId, t.createdAt, t.id),
    index('uploads_by_creator').on(t.tenantId, t.createdBy, t.createdAt, t.id),
    index('uploads_by_state').on(t.tenantId, t.state, t.createdAt, t.id),
    index('uploads_by_creator_and_state').on(t.tenantId, t.createdBy, t.state, t.createdAt, t.id),
    index('uploads_pending')
      .on(t.tenantId, t.expiresAt)
      .where(sql`state = 'PENDING'`),
    // Of all tenants, for `due_uploads`.
    index('uploads_due')
      .on(t.expiresAt, t.tenantId)
      .where(sql`state = 'PENDING' and ${inAnyTenant}`),
    // Serves the list of pending intents. With the index of states alone, Postgres sorts them if its statistics show
    // few.
    index('uploads_pending_newest')
      .on(t.tenantId, t.createdAt, t.id)
      .where(sql`state = 'PENDING'`),
    index('uploads_by_blob').on(t.tenantId, t.blobId),
    index('uploads_by_target')
      .on(t.tenantId, t.targetFileId)
      .where(sql`state = 'PENDING'`),
    check('uploads_state', oneOf('state', uploadStates)),
    check('uploads_retention', oneOf('retention', retentions)),
    check('uploads_committed', sql`(state = 'COMMITTED') = (file_id is not null and version is not null)`),
  ],
)

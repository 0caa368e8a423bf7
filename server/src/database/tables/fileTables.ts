import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, inAnyTenant, isPlainText, moment, oneOf, tenantId } from './columns.ts'
import { principals, tenantKey } from './identityTables.ts'

/* Blobs, the files and versions that use them, and the attachments of files. */

export const blobStatuses = ['pending', 'ready', 'deleting'] as const
export const retentions = ['KEPT', 'WHILE_ATTACHED'] as const

export const blobs = pgTable(
  'blobs',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** `org/<tenant_id>/files/<id>.<extension>`. Derived, without text from users. */
    objectKey: text('object_key').notNull(),
    status: text('status', { enum: blobStatuses }).notNull(),
    /** The number of file versions with these bytes. */
    refcount: integer('refcount').notNull(),
    byteSize: bytes('byte_size').notNull(),
    contentType: text('content_type').notNull(),
    etag: text('etag'),
    /** 64 lower-case hexadecimal digits. Set only after the bytes were verified to have this hash. */
    sha256: text('sha256'),
    createdAt: moment('created_at').notNull(),
    deletingSince: moment('deleting_since'),
    /** The claim of the run that is deleting the object, and the time until which no other run may. */
    purgeClaim: uuid('purge_claim'),
    purgeClaimedUntil: moment('purge_claimed_until'),
    /** How often the store refused the delete, and when to try again. */
    purgeAttempts: integer('purge_attempts').notNull().default(0),
    purgeNotBefore: moment('purge_not_before'),
    /** When all bytes were last read and compared with the commit. The epoch: never. */
    verifiedAt: moment('verified_at')
      .notNull()
      .default(sql`'1970-01-01 00:00:00+00'`),
    /** Since when the stored bytes are known to be missing or damaged. */
    quarantinedAt: moment('quarantined_at'),
    quarantineReason: text('quarantine_reason'),
  },
  (t) => [
    primaryKey({ name: 'blobs_pk', columns: [t.tenantId, t.id] }),
    tenantKey('blobs_tenant', t.tenantId),
    unique('blobs_object_key').on(t.tenantId, t.objectKey),
    // A requested run examines all of them. A scheduled run examines new ones, and postponed ones that are due.
    index('blobs_deleting')
      .on(t.tenantId, t.deletingSince, t.id)
      .where(sql`status = 'deleting'`),
    index('blobs_released')
      .on(t.tenantId, t.deletingSince, t.id)
      .where(sql`status = 'deleting' and purge_not_before is null`),
    index('blobs_postponed')
      .on(t.tenantId, t.purgeNotBefore, t.id)
      .where(sql`status = 'deleting' and purge_not_before is not null`),
    // `verifyBlobs.ts` walks both indexes, least recently verified first.
    index('blobs_doubtful')
      .on(t.tenantId, t.verifiedAt, t.id)
      .where(sql`status = 'ready' and (sha256 is null or quarantined_at is not null)`),
    index('blobs_proved')
      .on(t.tenantId, t.verifiedAt, t.id)
      .where(sql`status = 'ready' and sha256 is not null and quarantined_at is null`),
    // Of all tenants, for `due_blobs` and `due_verifications`: what is due is found without visiting each.
    index('blobs_released_due')
      .on(t.deletingSince, t.tenantId)
      .where(sql`status = 'deleting' and purge_not_before is null and ${inAnyTenant}`),
    index('blobs_postponed_due')
      .on(t.purgeNotBefore, t.tenantId)
      .where(sql`status = 'deleting' and purge_not_before is not null and ${inAnyTenant}`),
    index('blobs_doubtful_due')
      .on(t.verifiedAt, t.tenantId)
      .where(sql`status = 'ready' and (sha256 is null or quarantined_at is not null) and ${inAnyTenant}`),
    check('blobs_status', oneOf('status', blobStatuses)),
    check('blobs_refcount', sql`refcount >= 0`),
    check('blobs_byte_size', sql`byte_size >= 0`),
    check('blobs_key_of_tenant', sql`starts_with(object_key, 'org/' || tenant_id::text || '/files/' || id::text)`),
    check('blobs_deleting_since', sql`(status = 'deleting') = (deleting_since is not null)`),
    check('blobs_ready_while_referenced', sql`(status = 'ready') = (refcount > 0)`),
    check('blobs_quarantine', sql`(quarantined_at is null) = (quarantine_reason is null)`),
  ],
)

export const files = pgTable(
  'files',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** As the user wrote it, in NFC. */
    originalFileName: text('original_file_name').notNull(),
    contentType: text('content_type').notNull(),
    /** The part of the media type before the slash, for lists of one kind of files. */
    mediaClass: text('media_class').generatedAlwaysAs(sql`split_part(content_type, '/', 1)`),
    byteSize: bytes('byte_size').notNull(),
    currentVersion: integer('current_version').notNull(),
    uploadedBy: uuid('uploaded_by').notNull(),
    uploadedAt: moment('uploaded_at').notNull(),
    updatedAt: moment('updated_at').notNull(),
    softDeletedAt: moment('soft_deleted_at'),
    softDeletedBy: uuid('soft_deleted_by'),
    /** The number of attachments. The statement that changes `attachments` also changes it. */
    attachmentCount: integer('attachment_count').notNull().default(0),
    retention: text('retention', { enum: retentions }).notNull().default('KEPT'),
    /** Legal hold. The file cannot be deleted or purged until the hold is released. */
    heldAt: moment('held_at'),
    heldBy: uuid('held_by'),
    holdReason: text('hold_reason'),
    /** When the versions were deleted permanently. The row stays, so that its id is never reused. */
    purgedAt: moment('purged_at'),
  },
  (t) => [
    primaryKey({ name: 'files_pk', columns: [t.tenantId, t.id] }),
    tenantKey('files_tenant', t.tenantId),
    foreignKey({
      name: 'files_uploaded_by',
      columns: [t.tenantId, t.uploadedBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'files_soft_deleted_by',
      columns: [t.tenantId, t.softDeletedBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'files_held_by',
      columns: [t.tenantId, t.heldBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    // Read backwards for newest first. `soft_deleted_at` is in the predicate, because it would force a sort if it were
    // in the key.
    index('files_live')
      .on(t.tenantId, t.uploadedAt, t.id)
      .where(sql`soft_deleted_at is null`),
    // The last columns do not serve the order. They let a scan skip rows that do not match a filter without reading
    // them.
    index('files_live_by_uploader')
      .on(t.tenantId, t.uploadedBy, t.uploadedAt, t.id, sql`content_type collate "C"`)
      .where(sql`soft_deleted_at is null`),
    index('files_live_by_class')
      .on(t.tenantId, t.mediaClass, t.uploadedAt, t.id, sql`content_type collate "C"`)
      .where(sql`soft_deleted_at is null`),
    index('files_trash')
      .on(t.tenantId, t.softDeletedAt, t.id, t.uploadedBy, sql`content_type collate "C"`)
      .where(sql`soft_deleted_at is not null and purged_at is null`),
    // Files under legal hold stay in the trash, and a sweep must not visit them every ten minutes.
    index('files_cooling')
      .on(t.tenantId, t.softDeletedAt)
      .where(sql`soft_deleted_at is not null and purged_at is null and held_at is null`),
    check('files_byte_size', sql`byte_size >= 0`),
    check('files_deleted_by_someone', sql`(soft_deleted_at is null) = (soft_deleted_by is null)`),
    check('files_retention', oneOf('retention', retentions)),
    check('files_attachment_count', sql`attachment_count >= 0`),
    check('files_in_use_not_deleted', sql`soft_deleted_at is null or attachment_count = 0`),
    check('files_held', sql`(held_at is null) = (held_by is null) and (held_at is null) = (hold_reason is null)`),
    check('files_purged_from_trash', sql`purged_at is null or (soft_deleted_at is not null and held_at is null)`),
  ],
)

/** A row of a host application that uses a file. Only the functions of the schema `filegraph` write it. */
export const attachments = pgTable(
  'attachments',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    fileId: uuid('file_id').notNull(),
    /** The type of the row, such as `invoice`, and its id, as the host application names them. */
    ownerType: text('owner_type').notNull(),
    ownerId: text('owner_id').notNull(),
    /** The role of the file in the row, such as `avatar`. */
    slot: text('slot').notNull(),
    createdBy: uuid('created_by').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'attachments_pk', columns: [t.tenantId, t.id] }),
    tenantKey('attachments_tenant', t.tenantId),
    unique('attachments_once').on(t.tenantId, t.fileId, t.ownerType, t.ownerId, t.slot),
    foreignKey({
      name: 'attachments_file',
      columns: [t.tenantId, t.fileId],
      foreignColumns: [files.tenantId, files.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'attachments_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    index('attachments_of_file').on(t.tenantId, t.fileId, t.id),
    index('attachments_of_owner').on(t.tenantId, t.ownerType, t.ownerId, t.id),
    check('attachments_owner_type', isPlainText('owner_type', 100)),
    check('attachments_owner_id', isPlainText('owner_id', 200)),
    check('attachments_slot', isPlainText('slot', 100)),
  ],
)

/** Immutable: a trigger refuses UPDATE. */
export const fileVersions = pgTable(
  'file_versions',
  {
    tenantId: tenantId(),
    fileId: uuid('file_id').notNull(),
    version: integer('version').notNull(),
    blobId: uuid('blob_id').notNull(),
    originalFileName: text('original_file_name').notNull(),
    contentType: text('content_type').notNull(),
    byteSize: bytes('byte_size').notNull(),
    createdBy: uuid('created_by').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'file_versions_pk', columns: [t.tenantId, t.fileId, t.version] }),
    tenantKey('file_versions_tenant', t.tenantId),
    foreignKey({
      name: 'file_versions_file',
      columns: [t.tenantId, t.fileId],
      foreignColumns: [files.tenantId, files.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'file_versions_blob',
      columns: [t.tenantId, t.blobId],
      foreignColumns: [blobs.tenantId, blobs.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'file_versions_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    index('file_versions_by_blob').on(t.tenantId, t.blobId),
    check('file_versions_version', sql`version >= 1`),
  ],
)

import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, isPlainText, moment, oneOf, tenantId } from './columns.ts'
import { principals, tenantKey } from './identityTables.ts'

/*
 * Bytes, the files that are made of them, and who uses those.
 */

export const blobStatuses = ['pending', 'ready', 'deleting'] as const
export const retentions = ['KEPT', 'WHILE_ATTACHED'] as const

export const blobs = pgTable(
  'blobs',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** `org/<tenant_id>/files/<id>.<extension>`: derived, no text of a user in it. */
    objectKey: text('object_key').notNull(),
    status: text('status', { enum: blobStatuses }).notNull(),
    /** How many file versions are these bytes. */
    refcount: integer('refcount').notNull(),
    byteSize: bytes('byte_size').notNull(),
    contentType: text('content_type').notNull(),
    etag: text('etag'),
    /** 64 lower-case hex digits; set only once the bytes were proved to hash to it. */
    sha256: text('sha256'),
    createdAt: moment('created_at').notNull(),
    deletingSince: moment('deleting_since'),
    /** The run that is deleting the object, and until when nobody else may. */
    purgeClaim: uuid('purge_claim'),
    purgeClaimedUntil: moment('purge_claimed_until'),
    /** How often the store refused to delete it, and when to ask again. */
    purgeAttempts: integer('purge_attempts').notNull().default(0),
    purgeNotBefore: moment('purge_not_before'),
    /** When all bytes were last read and compared with what was committed. The epoch: never. */
    verifiedAt: moment('verified_at')
      .notNull()
      .default(sql`'1970-01-01 00:00:00+00'`),
    /** Since when the bucket is known not to hold these bytes as they were committed. */
    quarantinedAt: moment('quarantined_at'),
    quarantineReason: text('quarantine_reason'),
  },
  (t) => [
    primaryKey({ name: 'blobs_pk', columns: [t.tenantId, t.id] }),
    tenantKey('blobs_tenant', t.tenantId),
    unique('blobs_object_key').on(t.tenantId, t.objectKey),
    // A requested run looks at all of them, one of the schedule at those that are due: new ones, and postponed ones.
    index('blobs_deleting')
      .on(t.tenantId, t.deletingSince, t.id)
      .where(sql`status = 'deleting'`),
    index('blobs_released')
      .on(t.tenantId, t.deletingSince, t.id)
      .where(sql`status = 'deleting' and purge_not_before is null`),
    index('blobs_postponed')
      .on(t.tenantId, t.purgeNotBefore, t.id)
      .where(sql`status = 'deleting' and purge_not_before is not null`),
    // Both walked by `verifyBlobs.ts`, least recently verified first.
    index('blobs_doubtful')
      .on(t.tenantId, t.verifiedAt, t.id)
      .where(sql`status = 'ready' and (sha256 is null or quarantined_at is not null)`),
    index('blobs_proved')
      .on(t.tenantId, t.verifiedAt, t.id)
      .where(sql`status = 'ready' and sha256 is not null and quarantined_at is null`),
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
    /** As people wrote it, in NFC. */
    originalFileName: text('original_file_name').notNull(),
    contentType: text('content_type').notNull(),
    /** What of the type is before the slash, for the lists of one kind of files. */
    mediaClass: text('media_class').generatedAlwaysAs(sql`split_part(content_type, '/', 1)`),
    byteSize: bytes('byte_size').notNull(),
    currentVersion: integer('current_version').notNull(),
    uploadedBy: uuid('uploaded_by').notNull(),
    uploadedAt: moment('uploaded_at').notNull(),
    updatedAt: moment('updated_at').notNull(),
    softDeletedAt: moment('soft_deleted_at'),
    softDeletedBy: uuid('soft_deleted_by'),
    /** How many rows of host applications use it; changed by the statement that changes `attachments`. */
    attachmentCount: integer('attachment_count').notNull().default(0),
    retention: text('retention', { enum: retentions }).notNull().default('KEPT'),
    /** Legal hold: neither deleted nor purged until it is released. */
    heldAt: moment('held_at'),
    heldBy: uuid('held_by'),
    holdReason: text('hold_reason'),
    /** Its versions are gone for good; the row stays, so that its id means nothing else ever. */
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
    // Read backwards for newest first. `soft_deleted_at` belongs in the predicate: inside the key it forces a sort.
    index('files_live')
      .on(t.tenantId, t.uploadedAt, t.id)
      .where(sql`soft_deleted_at is null`),
    // The last columns are not for the order: what does not match a filter is passed over without reading its row.
    index('files_live_by_uploader')
      .on(t.tenantId, t.uploadedBy, t.uploadedAt, t.id, sql`content_type collate "C"`)
      .where(sql`soft_deleted_at is null`),
    index('files_live_by_class')
      .on(t.tenantId, t.mediaClass, t.uploadedAt, t.id, sql`content_type collate "C"`)
      .where(sql`soft_deleted_at is null`),
    index('files_trash')
      .on(t.tenantId, t.softDeletedAt, t.id, t.uploadedBy, sql`content_type collate "C"`)
      .where(sql`soft_deleted_at is not null and purged_at is null`),
    // Files under legal hold stay in the trash; a sweep must not walk past them every ten minutes.
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

/** A row of a host application that uses a file. Written by the functions of the schema `filegraph` alone. */
export const attachments = pgTable(
  'attachments',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    fileId: uuid('file_id').notNull(),
    /** What kind of row, such as `invoice`, and which one, in the host application's words. */
    ownerType: text('owner_type').notNull(),
    ownerId: text('owner_id').notNull(),
    /** What the file is to it, such as `avatar`. */
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

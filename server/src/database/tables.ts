import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytea, bytes, moment, oneOf, tenantId } from './columns.ts'

/*
 * A table with a `tenant_id` column is a tenant table: `tenant_id` stands first in its primary key, every unique key and
 * every foreign key, and row-level security is forced on it. Tables without one hold what has to be known before the
 * tenant is; where such a lookup points to a tenant its column is called `tenant`. `catalogue.test.ts` holds both.
 */

export const roles = ['VIEWER', 'MEMBER', 'ADMIN', 'OWNER'] as const
export const principalKinds = ['USER', 'API_KEY', 'EXTERNAL', 'SYSTEM'] as const
export const blobStatuses = ['pending', 'ready', 'deleting'] as const
export const retentions = ['KEPT', 'WHILE_ATTACHED'] as const
export const uploadStates = ['PENDING', 'COMMITTED', 'CANCELLED', 'EXPIRED'] as const

// ── Known before the tenant is ───────────────────────────────────────────────────────────────────────────────────────

export const tenantSlugs = pgTable('tenant_slugs', {
  slug: text('slug').primaryKey(),
  tenant: uuid('tenant').notNull().unique('tenant_slugs_tenant'),
})

export const users = pgTable('users', {
  id: uuid('id').primaryKey(),
  /** Lower case. */
  email: text('email').notNull().unique('users_email'),
  name: text('name').notNull(),
  /** PHC string of argon2id. */
  passwordHash: text('password_hash').notNull(),
  createdAt: moment('created_at').notNull(),
})

export const userTenants = pgTable(
  'user_tenants',
  {
    userId: uuid('user_id').notNull(),
    tenant: uuid('tenant').notNull(),
  },
  (t) => [primaryKey({ name: 'user_tenants_pk', columns: [t.userId, t.tenant] })],
)

export const sessions = pgTable(
  'sessions',
  {
    /** SHA-256 of the token in the cookie. */
    tokenHash: bytea('token_hash').primaryKey(),
    userId: uuid('user_id').notNull(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at').notNull(),
  },
  (t) => [index('sessions_user').on(t.userId), index('sessions_expiry').on(t.expiresAt)],
)

export const signInAttempts = pgTable('sign_in_attempts', {
  /** SHA-256 of what is counted: an e-mail address or a network address. */
  subject: bytea('subject').primaryKey(),
  failures: integer('failures').notNull(),
  windowStartedAt: moment('window_started_at').notNull(),
})

// ── Tenants and who acts in them ─────────────────────────────────────────────────────────────────────────────────────

export const tenants = pgTable('tenants', {
  id: uuid('id').primaryKey(),
  slug: text('slug').notNull(),
  name: text('name').notNull(),
  maxFileBytes: bytes('max_file_bytes').notNull(),
  /** Types or prefixes such as `image/`; null allows all. */
  allowedContentTypes: text('allowed_content_types').array(),
  trashDays: integer('trash_days').notNull(),
  intentLifetimeSeconds: integer('intent_lifetime_seconds').notNull(),
  downloadMaxSeconds: integer('download_max_seconds').notNull(),
  /** Null: no bound. */
  quotaBytes: bytes('quota_bytes'),
  createdAt: moment('created_at').notNull(),
})

/** Counts and bytes, changed in the transaction that changes what they count. */
export const tenantUsage = pgTable(
  'tenant_usage',
  {
    tenantId: tenantId().primaryKey(),
    fileCount: bytes('file_count').notNull(),
    trashedCount: bytes('trashed_count').notNull(),
    versionCount: bytes('version_count').notNull(),
    /** Every version that is kept, those of trashed files included. */
    storedBytes: bytes('stored_bytes').notNull(),
    /** What pending upload intents have announced. */
    reservedBytes: bytes('reserved_bytes').notNull(),
  },
  () => [
    check(
      'tenant_usage_not_negative',
      sql`file_count >= 0 and trashed_count >= 0 and version_count >= 0 and stored_bytes >= 0 and reserved_bytes >= 0`,
    ),
  ],
)

/** Whoever has acted in a tenant. Rows stay when a member leaves or a key is revoked, so that history keeps its names. */
export const principals = pgTable(
  'principals',
  {
    tenantId: tenantId(),
    /** The id of the user or the API key where there is one. */
    id: uuid('id').notNull(),
    kind: text('kind', { enum: principalKinds }).notNull(),
    /** For EXTERNAL: the user id in the host application's token. Otherwise the id again. */
    subject: text('subject').notNull(),
    name: text('name').notNull(),
    email: text('email'),
    createdAt: moment('created_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'principals_pk', columns: [t.tenantId, t.id] }),
    unique('principals_subject').on(t.tenantId, t.kind, t.subject),
    check('principals_kind', oneOf('kind', principalKinds)),
  ],
)

export const memberships = pgTable(
  'memberships',
  {
    tenantId: tenantId(),
    userId: uuid('user_id').notNull(),
    role: text('role', { enum: roles }).notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'memberships_pk', columns: [t.tenantId, t.userId] }),
    foreignKey({
      name: 'memberships_principal',
      columns: [t.tenantId, t.userId],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    check('memberships_role', oneOf('role', roles)),
  ],
)

export const apiKeys = pgTable(
  'api_keys',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    role: text('role', { enum: roles }).notNull(),
    /** SHA-256 of the secret part; the secret has 256 random bits, so a slow hash would add nothing. */
    secretHash: bytea('secret_hash').notNull(),
    createdBy: uuid('created_by').notNull(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at'),
    lastUsedAt: moment('last_used_at'),
    revokedAt: moment('revoked_at'),
  },
  (t) => [
    primaryKey({ name: 'api_keys_pk', columns: [t.tenantId, t.id] }),
    foreignKey({
      name: 'api_keys_principal',
      columns: [t.tenantId, t.id],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    foreignKey({
      name: 'api_keys_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    index('api_keys_created').on(t.tenantId, t.createdAt, t.id),
    check('api_keys_role', oneOf('role', roles)),
  ],
)

// ── Bytes, uploads, files ────────────────────────────────────────────────────────────────────────────────────────────

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
    /** Since when the bucket is known not to hold these bytes as they were committed. */
    quarantinedAt: moment('quarantined_at'),
    quarantineReason: text('quarantine_reason'),
  },
  (t) => [
    primaryKey({ name: 'blobs_pk', columns: [t.tenantId, t.id] }),
    unique('blobs_object_key').on(t.tenantId, t.objectKey),
    index('blobs_deleting')
      .on(t.tenantId, t.deletingSince)
      .where(sql`status = 'deleting'`),
    index('blobs_quarantined')
      .on(t.tenantId, t.id)
      .where(sql`quarantined_at is not null`),
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
    foreignKey({
      name: 'files_uploaded_by',
      columns: [t.tenantId, t.uploadedBy],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    foreignKey({
      name: 'files_soft_deleted_by',
      columns: [t.tenantId, t.softDeletedBy],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    foreignKey({
      name: 'files_held_by',
      columns: [t.tenantId, t.heldBy],
      foreignColumns: [principals.tenantId, principals.id],
    }),
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
    unique('attachments_once').on(t.tenantId, t.fileId, t.ownerType, t.ownerId, t.slot),
    foreignKey({
      name: 'attachments_file',
      columns: [t.tenantId, t.fileId],
      foreignColumns: [files.tenantId, files.id],
    }),
    foreignKey({
      name: 'attachments_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    index('attachments_of_file').on(t.tenantId, t.fileId, t.id),
    index('attachments_of_owner').on(t.tenantId, t.ownerType, t.ownerId, t.id),
    check('attachments_owner_type', sql`owner_type ~ '^[^[:cntrl:]]{1,100}$'`),
    check('attachments_owner_id', sql`owner_id ~ '^[^[:cntrl:]]{1,200}$'`),
    check('attachments_slot', sql`slot ~ '^[^[:cntrl:]]{1,100}$'`),
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
    foreignKey({
      name: 'file_versions_file',
      columns: [t.tenantId, t.fileId],
      foreignColumns: [files.tenantId, files.id],
    }),
    foreignKey({
      name: 'file_versions_blob',
      columns: [t.tenantId, t.blobId],
      foreignColumns: [blobs.tenantId, blobs.id],
    }),
    foreignKey({
      name: 'file_versions_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    index('file_versions_by_blob').on(t.tenantId, t.blobId),
    check('file_versions_version', sql`version >= 1`),
  ],
)

export const uploads = pgTable(
  'uploads',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    blobId: uuid('blob_id').notNull(),
    /** The file that gets a new version; null makes a new file. */
    targetFileId: uuid('target_file_id'),
    state: text('state', { enum: uploadStates }).notNull(),
    declaredName: text('declared_name').notNull(),
    declaredContentType: text('declared_content_type').notNull(),
    declaredByteSize: bytes('declared_byte_size').notNull(),
    declaredSha256: text('declared_sha256'),
    /** Of the file that a commit makes; a new version leaves the file's own. */
    retention: text('retention', { enum: retentions }).notNull().default('KEPT'),
    idempotencyKey: text('idempotency_key'),
    createdBy: uuid('created_by').notNull(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at').notNull(),
    finishedAt: moment('finished_at'),
    /** What a commit made. */
    fileId: uuid('file_id'),
    version: integer('version'),
    /** Why the stored bytes were refused, in words for people; asking again gives the same answer. */
    refusal: text('refusal'),
  },
  (t) => [
    primaryKey({ name: 'uploads_pk', columns: [t.tenantId, t.id] }),
    foreignKey({
      name: 'uploads_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    unique('uploads_idempotency').on(t.tenantId, t.createdBy, t.idempotencyKey),
    // The state is not for the order: what does not match a filter is passed over without reading its row.
    index('uploads_created').on(t.tenantId, t.createdAt, t.id, t.state),
    index('uploads_by_creator').on(t.tenantId, t.createdBy, t.createdAt, t.id, t.state),
    index('uploads_pending')
      .on(t.tenantId, t.expiresAt)
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

// ── What happened ────────────────────────────────────────────────────────────────────────────────────────────────────

/** One row per change, written by the transaction that makes it: the change journal and the outbox in one. */
export const events = pgTable(
  'events',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    type: text('type').notNull(),
    subjectType: text('subject_type').notNull(),
    subjectId: uuid('subject_id').notNull(),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    transactionId: bytes('transaction_id')
      .notNull()
      .default(sql`cast(cast(pg_current_xact_id() as text) as bigint)`),
    createdAt: moment('created_at').notNull(),
    publishedAt: moment('published_at'),
  },
  (t) => [
    primaryKey({ name: 'events_pk', columns: [t.tenantId, t.id] }),
    index('events_unpublished')
      .on(t.tenantId, t.id)
      .where(sql`published_at is null`),
    index('events_journal').on(t.tenantId, t.transactionId, t.id),
    index('events_by_subject').on(t.tenantId, t.subjectId, t.type),
  ],
)

/** Append-only: UPDATE, DELETE and TRUNCATE are revoked, and refused by triggers. */
export const auditLog = pgTable(
  'audit_log',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    at: moment('at').notNull(),
    actorId: uuid('actor_id').notNull(),
    action: text('action').notNull(),
    subjectType: text('subject_type').notNull(),
    subjectId: uuid('subject_id').notNull(),
    /** What the subject was called then. */
    subjectName: text('subject_name'),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    requestId: text('request_id'),
    address: text('address'),
    userAgent: text('user_agent'),
  },
  (t) => [
    primaryKey({ name: 'audit_log_pk', columns: [t.tenantId, t.id] }),
    foreignKey({
      name: 'audit_log_actor',
      columns: [t.tenantId, t.actorId],
      foreignColumns: [principals.tenantId, principals.id],
    }),
    index('audit_log_newest').on(t.tenantId, t.at, t.id),
    index('audit_log_by_action').on(t.tenantId, t.action, t.at, t.id),
    index('audit_log_by_actor').on(t.tenantId, t.actorId, t.at, t.id),
    index('audit_log_by_subject').on(t.tenantId, t.subjectId, t.at, t.id),
  ],
)

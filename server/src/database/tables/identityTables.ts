import { sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytea, bytes, foldedText, moment, oneOf, tenantId } from './columns.ts'

/* Identities and permissions. Data that is needed before the tenant is known comes first. */

export const roles = ['VIEWER', 'MEMBER', 'ADMIN', 'OWNER'] as const
export const principalKinds = ['USER', 'API_KEY', 'EXTERNAL', 'SYSTEM'] as const

export const tenantSlugs = pgTable(
  'tenant_slugs',
  {
    slug: text('slug').primaryKey(),
    tenant: uuid('tenant').notNull().unique('tenant_slugs_tenant'),
    /** When the worker created the rows of the tenant in `sweep_schedule`. Null: not yet. */
    scheduledAt: moment('scheduled_at'),
  },
  (t) => [
    index('tenant_slugs_unscheduled')
      .on(t.tenant)
      .where(sql`scheduled_at is null`),
  ],
)

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
  (t) => [
    primaryKey({ name: 'user_tenants_pk', columns: [t.userId, t.tenant] }),
    // An index of a user's memberships. It is meaningless without the user.
    foreignKey({ name: 'user_tenants_user', columns: [t.userId], foreignColumns: [users.id] }).onDelete('cascade'),
  ],
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
  (t) => [
    // A deleted user has no sessions.
    foreignKey({ name: 'sessions_user_id', columns: [t.userId], foreignColumns: [users.id] }).onDelete('cascade'),
    index('sessions_user').on(t.userId),
    index('sessions_expiry').on(t.expiresAt),
  ],
)

export const signInAttempts = pgTable('sign_in_attempts', {
  /**
   * SHA-256 of the counted subject: a device, an e-mail address, a network address, or a pair of address and e-mail
   * address.
   */
  subject: bytea('subject').primaryKey(),
  failures: integer('failures').notNull(),
  lastAttemptAt: moment('last_attempt_at').notNull(),
})

/** Browsers that have signed in before. Failed attempts from other browsers do not delay them. */
export const userDevices = pgTable(
  'user_devices',
  {
    /** SHA-256 of the token in the cookie of the device. */
    tokenHash: bytea('token_hash').notNull(),
    userId: uuid('user_id').notNull(),
    expiresAt: moment('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'user_devices_pk', columns: [t.tokenHash, t.userId] }),
    // A device belongs to its user.
    foreignKey({ name: 'user_devices_user', columns: [t.userId], foreignColumns: [users.id] }).onDelete('cascade'),
    index('user_devices_user_expiry').on(t.userId, t.expiresAt),
    index('user_devices_expiry').on(t.expiresAt),
  ],
)

export interface PolicyCeiling {
  readonly maxFileBytes?: number
  readonly allowedContentTypes?: readonly string[]
  readonly trashDays?: number
  readonly intentLifetimeSeconds?: number
  readonly downloadMaxSeconds?: number
}

export const tenants = pgTable('tenants', {
  id: uuid('id').primaryKey(),
  slug: text('slug').notNull(),
  name: text('name').notNull(),
  maxFileBytes: bytes('max_file_bytes').notNull(),
  /** Media types or prefixes such as `image/`. Null allows all. */
  allowedContentTypes: text('allowed_content_types').array(),
  trashDays: integer('trash_days').notNull(),
  intentLifetimeSeconds: integer('intent_lifetime_seconds').notNull(),
  downloadMaxSeconds: integer('download_max_seconds').notNull(),
  /** Null: no quota. */
  quotaBytes: bytes('quota_bytes'),
  /** The operator's values, which are the upper limits for an OWNER. A missing field has no limit. */
  policyCeiling: jsonb('policy_ceiling').$type<PolicyCeiling>().notNull().default({}),
  createdAt: moment('created_at').notNull(),
})

/** A tenant cannot be deleted while it has rows. */
export const tenantKey = (name: string, column: PgColumn) =>
  foreignKey({ name, columns: [column], foreignColumns: [tenants.id] }).onDelete('restrict')

/** Counters of the tenant. The transaction that changes what they count also changes them. */
export const tenantUsage = pgTable(
  'tenant_usage',
  {
    tenantId: tenantId().primaryKey(),
    fileCount: bytes('file_count').notNull(),
    trashedCount: bytes('trashed_count').notNull(),
    versionCount: bytes('version_count').notNull(),
    /** The bytes of all versions, including those of files in the trash. */
    storedBytes: bytes('stored_bytes').notNull(),
    /**
     * The bytes of blobs without a version: reserved by pending intents, or released and not yet deleted from the
     * bucket.
     */
    reservedBytes: bytes('reserved_bytes').notNull(),
    /** The number of the last change in the tenant's journal. */
    journalSeq: bytes('journal_seq').notNull().default(0),
  },
  (t) => [
    tenantKey('tenant_usage_tenant', t.tenantId),
    check(
      'tenant_usage_not_negative',
      sql`file_count >= 0 and trashed_count >= 0 and version_count >= 0 and stored_bytes >= 0 and reserved_bytes >= 0`,
    ),
  ],
)

/**
 * Every principal that has acted in a tenant. A row stays after a member leaves or a key is revoked, so that history
 * keeps its names.
 */
export const principals = pgTable(
  'principals',
  {
    tenantId: tenantId(),
    /** The id of the user or the API key, if there is one. */
    id: uuid('id').notNull(),
    kind: text('kind', { enum: principalKinds }).notNull(),
    /** For EXTERNAL, the user id in the host application's token. Otherwise the id again. */
    subject: text('subject').notNull(),
    name: text('name').notNull(),
    email: text('email'),
    createdAt: moment('created_at').notNull(),
    /**
     * Name and e-mail address, folded by `filegraph.fold` for search: no case, no accents. Also the sort key of the
     * list.
     */
    searchText: foldedText('search_text')
      .notNull()
      .generatedAlwaysAs(sql`left(filegraph.fold(name || ' ' || coalesce(email, '')), 600)`),
  },
  (t) => [
    primaryKey({ name: 'principals_pk', columns: [t.tenantId, t.id] }),
    tenantKey('principals_tenant', t.tenantId),
    unique('principals_subject').on(t.tenantId, t.kind, t.subject),
    index('principals_by_name').on(t.tenantId, t.searchText, t.id),
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
    tenantKey('memberships_tenant', t.tenantId),
    foreignKey({
      name: 'memberships_principal',
      columns: [t.tenantId, t.userId],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
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
    /** SHA-256 of the secret. The secret has 256 random bits, so a slow hash would add no security. */
    secretHash: bytea('secret_hash').notNull(),
    createdBy: uuid('created_by').notNull(),
    createdAt: moment('created_at').notNull(),
    expiresAt: moment('expires_at'),
    lastUsedAt: moment('last_used_at'),
    revokedAt: moment('revoked_at'),
  },
  (t) => [
    primaryKey({ name: 'api_keys_pk', columns: [t.tenantId, t.id] }),
    tenantKey('api_keys_tenant', t.tenantId),
    foreignKey({
      name: 'api_keys_principal',
      columns: [t.tenantId, t.id],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    foreignKey({
      name: 'api_keys_created_by',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    index('api_keys_created').on(t.tenantId, t.createdAt, t.id),
    check('api_keys_role', oneOf('role', roles)),
  ],
)

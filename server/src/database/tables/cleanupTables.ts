import { sql } from 'drizzle-orm'
import { bigint, boolean, check, foreignKey, index, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, moment, oneOf, tenantId } from './columns.ts'
import { principals, tenantKey } from './identityTables.ts'

export const cleanupKinds = [
  'EXPIRE_UPLOADS',
  'ABORT_UPLOADS',
  'PURGE_FILES',
  'DELETE_BLOBS',
  'RECONCILE',
  'VERIFY',
] as const

/**
 * QUEUED: asked for and not begun. RUNNING: under way, or its process died. DONE. STOPPED: by the brake, before anything
 * was deleted. REFUSED: what it would have had to believe was doubtful, and nothing was deleted. FAILED: a part that it
 * needs gave no usable answer; the next run goes on.
 */
export const cleanupStates = ['QUEUED', 'RUNNING', 'DONE', 'STOPPED', 'REFUSED', 'FAILED'] as const

/** What each sweep looked at, deleted, and left alone, by which gate. */
export const cleanupRuns = pgTable(
  'cleanup_runs',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    kind: text('kind', { enum: cleanupKinds }).notNull(),
    state: text('state', { enum: cleanupStates }).notNull(),
    /** Reports, and changes nothing. */
    isDryRun: boolean('is_dry_run').notNull(),
    /** Only what was deleted or released before this time; null is the usual cut-off. */
    before: moment('before'),
    /** Whether it may delete more than the brake allows. */
    exceedsBrake: boolean('exceeds_brake').notNull(),
    /** Whether it may delete objects that no upload intent of this database made. */
    includesForeign: boolean('includes_foreign').notNull().default(false),
    requestedBy: uuid('requested_by').notNull(),
    createdAt: moment('created_at').notNull(),
    startedAt: moment('started_at'),
    finishedAt: moment('finished_at'),
    examined: bytes('examined').notNull(),
    /** In a dry run: what would have been deleted. */
    deleted: bytes('deleted').notNull(),
    deletedBytes: bytes('deleted_bytes').notNull(),
    /** How many were left alone, by the gate that held them. */
    held: jsonb('held').$type<Record<string, number>>().notNull(),
    /** The number of problems by kind, such as `missing` or `orphan`. */
    found: jsonb('found').$type<Record<string, number>>().notNull(),
    /** The first of what was deleted, held or found: no more than fits on a page. */
    sample: jsonb('sample').$type<readonly CleanupSample[]>().notNull(),
    /** Why it stopped, was refused or failed; a sentence for people. */
    message: text('message'),
    /** The key before which a run has dealt with everything, where the next one goes on. */
    position: text('position'),
  },
  (t) => [
    primaryKey({ name: 'cleanup_runs_pk', columns: [t.tenantId, t.id] }),
    tenantKey('cleanup_runs_tenant', t.tenantId),
    foreignKey({
      name: 'cleanup_runs_requested_by',
      columns: [t.tenantId, t.requestedBy],
      foreignColumns: [principals.tenantId, principals.id],
    }).onDelete('restrict'),
    index('cleanup_runs_newest').on(t.tenantId, t.createdAt, t.id),
    index('cleanup_runs_by_kind').on(t.tenantId, t.kind, t.createdAt, t.id),
    index('cleanup_runs_by_state').on(t.tenantId, t.state, t.createdAt, t.id),
    index('cleanup_runs_by_kind_and_state').on(t.tenantId, t.kind, t.state, t.createdAt, t.id),
    check('cleanup_runs_kind', oneOf('kind', cleanupKinds)),
    check('cleanup_runs_state', oneOf('state', cleanupStates)),
    check('cleanup_runs_finished', sql`(finished_at is null) = (state in ('QUEUED', 'RUNNING'))`),
  ],
)

/** One thing that a run dealt with: what it did with it or why not, the object, and the file's id where there is one. */
export interface CleanupSample {
  readonly what: string
  readonly key: string
  readonly byteSize: number | null
}

/**
 * Objects under a tenant's prefix that no row knows, and since when we have seen each. Also those under the prefix of a
 * tenant that this database does not have: they lie under its id, behind the same row-level security.
 */
export const orphanObjects = pgTable(
  'orphan_objects',
  {
    tenantId: tenantId(),
    objectKey: text('object_key').notNull(),
    byteSize: bytes('byte_size').notNull(),
    etag: text('etag').notNull(),
    firstSeenAt: moment('first_seen_at').notNull(),
    /** The run that saw it last: only what the run under way has seen itself may go. */
    seenByRun: uuid('seen_by_run').notNull(),
  },
  (t) => [
    primaryKey({ name: 'orphan_objects_pk', columns: [t.tenantId, t.objectKey] }),
    check('orphan_objects_key_of_tenant', sql`starts_with(object_key, 'org/' || tenant_id::text || '/')`),
  ],
)

/**
 * Which installation this database belongs to. Always one row. The bucket holds a marker with the same generation and token.
 * A restored database is behind its bucket; a copy that runs beside the original has another token.
 */
export const installation = pgTable(
  'installation',
  {
    /** Always 1. */
    singleton: bigint('singleton', { mode: 'number' }).primaryKey(),
    id: uuid('id').notNull(),
    generation: bytes('generation').notNull(),
    /** A new random value for each generation: two databases that part at one generation differ in the next. */
    token: uuid('token').notNull(),
    /** The token that is being written to the bucket. Becomes `token` once the marker is known to be there. */
    nextToken: uuid('next_token'),
    /** Whether this database ever wrote a marker. Until then it takes a bucket without markers as its own. */
    isMarked: boolean('is_marked').notNull(),
    /** The Postgres cluster and database that wrote the last marker. Both differ in a copy made by dump and restore. */
    systemIdentifier: text('system_identifier'),
    databaseOid: bytes('database_oid'),
    /** When that server process was started, as the server tells it. A copy of the disk runs in another process. */
    serverStartedAt: text('server_started_at'),
    /** Since when the marker is written from that server process. Null: no other database can be there to object. */
    settlingSince: moment('settling_since'),
    /** Why nothing is deleted at present, in a sentence for people. Null while deletes are allowed. */
    refusal: text('refusal'),
    refusedSince: moment('refused_since'),
    /** When a person decided that another database owns the bucket. This one then deletes nothing. */
    retiredAt: moment('retired_at'),
  },
  () => [
    check('installation_singleton', sql`singleton = 1`),
    check('installation_refused', sql`(refusal is null) = (refused_since is null)`),
  ],
)

export const installationActions = ['VETO_LEFT', 'BUCKET_ACCEPTED', 'DATABASE_RETIRED', 'STRAYS_DELETED'] as const

/** What was decided about the bucket as a whole, by whom. Belongs to no tenant. Append-only. */
export const installationLog = pgTable(
  'installation_log',
  {
    id: uuid('id').primaryKey(),
    at: moment('at').notNull(),
    action: text('action', { enum: installationActions }).notNull(),
    /** The machine, and where a person decided, their login there. */
    actor: text('actor').notNull(),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
  },
  () => [check('installation_log_action', oneOf('action', installationActions))],
)

/** What each search for strays did, as `cleanup_runs` for a tenant. Belongs to no tenant: only operators see it. */
export const strayRuns = pgTable(
  'stray_runs',
  {
    id: uuid('id').primaryKey(),
    state: text('state', { enum: cleanupStates }).notNull(),
    isDryRun: boolean('is_dry_run').notNull(),
    includesForeign: boolean('includes_foreign').notNull(),
    /** `worker`, or the login and machine of the person who asked. */
    actor: text('actor').notNull(),
    startedAt: moment('started_at').notNull(),
    finishedAt: moment('finished_at'),
    examined: bytes('examined').notNull(),
    deleted: bytes('deleted').notNull(),
    deletedBytes: bytes('deleted_bytes').notNull(),
    held: jsonb('held').$type<Record<string, number>>().notNull(),
    found: jsonb('found').$type<Record<string, number>>().notNull(),
    sample: jsonb('sample').$type<readonly CleanupSample[]>().notNull(),
    message: text('message'),
    /** The prefix behind which the next run goes on, where a run reached its bound. Null: it came to the end of the bucket. */
    position: text('position'),
  },
  (t) => [index('stray_runs_newest').on(t.startedAt, t.id), check('stray_runs_state', oneOf('state', cleanupStates))],
)

export const strayKinds = ['TENANT', 'OTHER'] as const

/** What lies in the bucket under no tenant of this database, a row a prefix, as the last run found it. */
export const strayPrefixes = pgTable(
  'stray_prefixes',
  {
    /** Of a TENANT `org/<id>/`. Otherwise the first folder of the key, or the key itself if it has none. */
    prefix: text('prefix').primaryKey(),
    kind: text('kind', { enum: strayKinds }).notNull(),
    /** The id in the prefix of a TENANT. */
    tenant: uuid('tenant'),
    exampleKey: text('example_key').notNull(),
    /** Null for OTHER, whose objects are not counted. */
    objectCount: bytes('object_count'),
    byteSize: bytes('byte_size'),
    firstSeenAt: moment('first_seen_at').notNull(),
    lastSeenAt: moment('last_seen_at').notNull(),
    seenByRun: uuid('seen_by_run').notNull(),
  },
  () => [
    check('stray_prefixes_kind', oneOf('kind', strayKinds)),
    check('stray_prefixes_tenant', sql`(kind = 'TENANT') = (tenant is not null)`),
  ],
)

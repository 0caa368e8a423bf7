import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { bytes, inAnyTenant, moment, oneOf, tenantId } from './columns.ts'
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
 * QUEUED: waits for a worker, to start or to continue. RUNNING: in progress, or its process died a short time ago. DONE: finished. STOPPED: the brake ended
 * it before it deleted anything. REFUSED: the evidence was in doubt, and nothing was deleted. FAILED: a part that it
 * needs gave no usable answer; the next run continues.
 */
export const cleanupStates = ['QUEUED', 'RUNNING', 'DONE', 'STOPPED', 'REFUSED', 'FAILED'] as const

/** The runs of each sweep: what it examined, deleted and kept, and the gates that kept it. */
export const cleanupRuns = pgTable(
  'cleanup_runs',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    kind: text('kind', { enum: cleanupKinds }).notNull(),
    state: text('state', { enum: cleanupStates }).notNull(),
    /** A dry run reports and changes nothing. */
    isDryRun: boolean('is_dry_run').notNull(),
    /** Handle only what was deleted or released before this time. Null: the usual cut-off. */
    before: moment('before'),
    /** Whether the run may delete more than the brake allows. */
    exceedsBrake: boolean('exceeds_brake').notNull(),
    /** Whether the run may delete objects that no upload intent of this database made. */
    includesForeign: boolean('includes_foreign').notNull().default(false),
    requestedBy: uuid('requested_by').notNull(),
    createdAt: moment('created_at').notNull(),
    startedAt: moment('started_at'),
    finishedAt: moment('finished_at'),
    examined: bytes('examined').notNull(),
    /** In a dry run: the number that would have been deleted. */
    deleted: bytes('deleted').notNull(),
    deletedBytes: bytes('deleted_bytes').notNull(),
    /** The number that was kept, by gate. */
    held: jsonb('held').$type<Record<string, number>>().notNull(),
    /** The number of problems by kind, such as `missing` or `orphan`. */
    found: jsonb('found').$type<Record<string, number>>().notNull(),
    /** The first items that were deleted, held or found. At most a page of them. */
    sample: jsonb('sample').$type<readonly CleanupSample[]>().notNull(),
    /** Why the run was stopped, was refused or failed, in a sentence for people. */
    message: text('message'),
    /** The run has handled all keys before this one. The next run continues here. */
    position: text('position'),
    /** The last heartbeat of its worker, by the clock of the database. While the run is QUEUED: when it last ran. */
    heartbeatAt: moment('heartbeat_at')
      .notNull()
      .default(sql`now()`),
    /** Identifies the worker that has the run. A worker without the current claim changes nothing in the run. */
    claim: uuid('claim'),
    /** How many workers have died in the run since its last turn. */
    interruptions: integer('interruptions').notNull().default(0),
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
    // Of all tenants, for `due_runs` and `busy_tenants`.
    index('cleanup_runs_waiting')
      .on(t.heartbeatAt, t.tenantId)
      .where(sql`state = 'QUEUED' and ${inAnyTenant}`),
    index('cleanup_runs_alive')
      .on(t.heartbeatAt, t.tenantId)
      .where(sql`state = 'RUNNING' and ${inAnyTenant}`),
    check('cleanup_runs_kind', oneOf('kind', cleanupKinds)),
    check('cleanup_runs_state', oneOf('state', cleanupStates)),
    check('cleanup_runs_finished', sql`(finished_at is null) = (state in ('QUEUED', 'RUNNING'))`),
  ],
)

/**
 * When the sweeps of the schedule look at a tenant next. A sweep whose work is found by its rows has a row here only after a
 * failure.
 */
export const sweepSchedule = pgTable(
  'sweep_schedule',
  {
    tenantId: tenantId(),
    kind: text('kind', { enum: cleanupKinds }).notNull(),
    /** Never before `notBefore`. Null: the work is found by its rows. */
    dueAt: moment('due_at'),
    /** No run of the schedule begins earlier. Set after a failure, and between two verifications. */
    notBefore: moment('not_before').notNull(),
    /** How many looks in a row have failed. */
    failures: integer('failures').notNull(),
  },
  (t) => [
    primaryKey({ name: 'sweep_schedule_pk', columns: [t.tenantId, t.kind] }),
    tenantKey('sweep_schedule_tenant', t.tenantId),
    // Of all tenants, for `due_by_schedule` and `busy_tenants`.
    index('sweep_schedule_due').on(t.kind, t.dueAt, t.tenantId).where(inAnyTenant),
    index('sweep_schedule_paused').on(t.kind, t.notBefore, t.tenantId).where(inAnyTenant),
    check('sweep_schedule_kind', oneOf('kind', cleanupKinds)),
  ],
)

/** One item of a run: the action or the gate, the object, and the id of the file if there is one. */
export interface CleanupSample {
  readonly what: string
  readonly key: string
  readonly byteSize: number | null
}

/**
 * Objects under a tenant's prefix without a row, and the time when each was first seen. The table also holds objects of
 * tenants that this database does not have, under the id in their prefix and behind the same row-level security.
 */
export const orphanObjects = pgTable(
  'orphan_objects',
  {
    tenantId: tenantId(),
    objectKey: text('object_key').notNull(),
    byteSize: bytes('byte_size').notNull(),
    etag: text('etag').notNull(),
    firstSeenAt: moment('first_seen_at').notNull(),
    /** The last run that saw the object. A run deletes only objects that it has seen itself. */
    seenByRun: uuid('seen_by_run').notNull(),
  },
  (t) => [
    primaryKey({ name: 'orphan_objects_pk', columns: [t.tenantId, t.objectKey] }),
    check('orphan_objects_key_of_tenant', sql`starts_with(object_key, 'org/' || tenant_id::text || '/')`),
  ],
)

/**
 * The installation that this database belongs to. Always one row. The bucket holds a marker with the same generation
 * and token. A restored database is behind its bucket. A copy that runs beside the original has another token.
 */
export const installation = pgTable(
  'installation',
  {
    /** Always 1. */
    singleton: bigint('singleton', { mode: 'number' }).primaryKey(),
    id: uuid('id').notNull(),
    generation: bytes('generation').notNull(),
    /**
     * A new random value for each generation. Two databases that diverge at one generation have different tokens in the
     * next.
     */
    token: uuid('token').notNull(),
    /** The token that is being written to the bucket. It becomes `token` after the marker is confirmed. */
    nextToken: uuid('next_token'),
    /** Whether this database ever wrote a marker. Before that, it claims a bucket without markers. */
    isMarked: boolean('is_marked').notNull(),
    /**
     * The Postgres cluster and the database that wrote the last marker. Both change in a copy made by dump and restore.
     */
    systemIdentifier: text('system_identifier'),
    databaseOid: bytes('database_oid'),
    /** When that server process started, as the server reports it. A copy of the disk runs in another process. */
    serverStartedAt: text('server_started_at'),
    /** Since when this server process has written the marker. Null: no other database can exist that would object. */
    settlingSince: moment('settling_since'),
    /** Why deletes are suspended, in a sentence for people. Null while deletes are allowed. */
    refusal: text('refusal'),
    refusedSince: moment('refused_since'),
    /** When a person decided that another database owns the bucket. This database then deletes nothing. */
    retiredAt: moment('retired_at'),
  },
  () => [
    check('installation_singleton', sql`singleton = 1`),
    check('installation_refused', sql`(refusal is null) = (refused_since is null)`),
  ],
)

export const installationActions = ['VETO_LEFT', 'BUCKET_ACCEPTED', 'DATABASE_RETIRED', 'STRAYS_DELETED'] as const

/** Decisions about the bucket, and who made them. They belong to no tenant. Append-only. */
export const installationLog = pgTable(
  'installation_log',
  {
    id: uuid('id').primaryKey(),
    at: moment('at').notNull(),
    action: text('action', { enum: installationActions }).notNull(),
    /** The machine. For a decision by a person, also their login. */
    actor: text('actor').notNull(),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
  },
  () => [check('installation_log_action', oneOf('action', installationActions))],
)

/**
 * The runs of the search for strays, in the form of `cleanup_runs`. They belong to no tenant, so only operators see
 * them.
 */
export const strayRuns = pgTable(
  'stray_runs',
  {
    id: uuid('id').primaryKey(),
    state: text('state', { enum: cleanupStates }).notNull(),
    isDryRun: boolean('is_dry_run').notNull(),
    includesForeign: boolean('includes_foreign').notNull(),
    /** `worker`, or the login and machine of a person. */
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
    /**
     * The prefix after which the next run continues, if the run reached its limit. Null: the run reached the end of the
     * bucket.
     */
    position: text('position'),
  },
  (t) => [index('stray_runs_newest').on(t.startedAt, t.id), check('stray_runs_state', oneOf('state', cleanupStates))],
)

export const strayKinds = ['TENANT', 'OTHER'] as const

/** Prefixes of the bucket that belong to no tenant of this database, one row each, as of the last run. */
export const strayPrefixes = pgTable(
  'stray_prefixes',
  {
    /** For TENANT, `org/<id>/`. For OTHER, the first folder of the key, or the key itself if it has none. */
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

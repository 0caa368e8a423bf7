import { allOf, given, givenState, type RelationalOrder } from '../../domain/paging/relationalPage.ts'
import type { CleanupKind, CleanupState } from '../../domain/sweeps/runs/recordRun.ts'
import { builder, relational } from '../builder.ts'
import { valuesOf } from '../enums.ts'
import { Principal } from '../identity/Principal.ts'
import { findNodesOf, NodeInterface, nodeId } from '../node.ts'
import { readByIds, readPage } from '../relational.ts'

const CleanupCount = builder.objectRef<readonly [string, number]>('CleanupCount').implement({
  description: 'A count by category.',
  fields: (t) => ({
    what: t.string({
      description:
        'The safety check that kept the items (`STATUS`, `REFERENCES`, `TIME`, `USE`, `RELEASE`, `IDENTITY`, ' +
        '`STORE`, `HOLD`, `ATTACHED`, `PENDING_INTENT`, `INCONSISTENT`, `GRACE`), or the kind of finding (`orphan`, ' +
        '`missing`, `different`, `returned`).',
      resolve: ([what]) => what,
    }),
    count: t.field({ type: 'ByteSize', description: 'The number of items.', resolve: ([, count]) => count }),
  }),
})

const CleanupItem = builder
  .objectRef<{ readonly what: string; readonly key: string; readonly byteSize: number | null }>('CleanupItem')
  .implement({
    description: 'An item that a run processed.',
    fields: (t) => ({
      what: t.exposeString('what', {
        description: '`deleted`, the safety check that kept the item, or the kind of finding. See `CleanupCount.what`.',
      }),
      key: t.exposeString('key', { description: 'The object key or the row id.' }),
      byteSize: t.expose('byteSize', { type: 'ByteSize', nullable: true, description: 'The size in bytes, if known.' }),
    }),
  })

export const CleanupRun = builder.drizzleObject('cleanupRuns', {
  name: 'CleanupRun',
  description:
    'One run of a cleanup job: what it examined, deleted and kept. Runs with nothing to do are not recorded.',
  interfaces: [NodeInterface],
  select: { columns: {} },
  fields: (t) => ({
    id: t.id({
      description: 'The global id. Opaque.',
      select: { columns: { id: true } },
      resolve: ({ id }) => nodeId('CleanupRun', id),
    }),
    kind: t.expose('kind', { type: CleanupKindEnum, description: 'The kind of cleanup.' }),
    state: t.expose('state', { type: CleanupStateEnum, description: 'The state of the run.' }),
    isDryRun: t.exposeBoolean('isDryRun', { description: 'Whether the run only reports and changes nothing.' }),
    before: t.expose('before', {
      type: 'DateTime',
      nullable: true,
      description:
        'The run handled only items that were deleted or released before this time. Null for the regular cut-off.',
    }),
    exceedsBrake: t.exposeBoolean('exceedsBrake', {
      description: 'Whether the run may delete more than the safety limit allows.',
    }),
    requestedBy: t.relation('requester', {
      type: Principal,
      description: 'The principal that requested the run. The system for scheduled runs.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the run was requested.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When the run started.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When the run finished.' }),
    examined: t.expose('examined', { type: 'ByteSize', description: 'The number of items examined.' }),
    deleted: t.expose('deleted', {
      type: 'ByteSize',
      description: 'The number of items deleted. In a dry run, the number that would be deleted.',
    }),
    deletedBytes: t.expose('deletedBytes', {
      type: 'ByteSize',
      description: 'The total size of the deleted items in bytes.',
    }),
    held: t.field({
      type: [CleanupCount],
      description: 'The number of items kept, by the first safety check that applied.',
      select: { columns: { held: true } },
      resolve: ({ held }) => Object.entries(held),
    }),
    found: t.field({
      type: [CleanupCount],
      description: 'The number of problems found, by kind.',
      select: { columns: { found: true } },
      resolve: ({ found }) => Object.entries(found),
    }),
    items: t.field({
      type: [CleanupItem],
      description: 'The first items that were deleted, kept or found. At most 100.',
      select: { columns: { sample: true } },
      resolve: ({ sample }) => [...sample],
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'A human-readable explanation of why the run was stopped, refused or failed.',
    }),
  }),
})

findNodesOf('CleanupRun', { role: 'ADMIN', find: (ids, asked) => readByIds(CleanupRun, ids, asked) })

const newestFirst: RelationalOrder = {
  list: 'cleanupRuns',
  kinds: ['time', 'uuid'],
  columns: ['createdAt', 'id'],
  descending: true,
}

const CleanupRunFilter = builder.inputType('CleanupRunFilter', {
  description: 'A filter for cleanup runs. All conditions must match.',
  fields: (t) => ({
    kind: t.field({ type: CleanupKindEnum, description: 'Only runs of this kind.' }),
    state: t.field({ type: CleanupStateEnum, description: 'Only runs in this state.' }),
  }),
})

const CleanupRunEdge = builder.edgeObject({ type: CleanupRun, name: 'CleanupRunEdge', description: 'A run in a page.' })

const CleanupRunConnection = builder.connectionObject(
  { type: CleanupRun, name: 'CleanupRunConnection', description: 'A page of cleanup runs.' },
  CleanupRunEdge,
)

builder.queryField('cleanupRuns', (t) =>
  t.connection(
    {
      type: CleanupRun,
      nullable: true,
      authScopes: { role: 'ADMIN' },
      description: 'The cleanup runs of the tenant, newest first.',
      args: { filter: t.arg({ type: CleanupRunFilter, description: 'Which runs to list. Default: all.' }) },
      extensions: relational,
      resolve: (_root, { filter, ...page }, context, info) =>
        readPage(CleanupRun, newestFirst, page, {
          context,
          info,
          where: allOf(given({ kind: filter?.kind }), givenState(filter?.state)),
        }),
    },
    CleanupRunConnection,
  ),
)

export const CleanupKindEnum = builder.enumType('CleanupKind', {
  description: 'The kind of a cleanup run.',
  values: valuesOf<CleanupKind>({
    EXPIRE_UPLOADS: 'Expires upload intents that were not committed in time.',
    ABORT_UPLOADS: 'Aborts unfinished multipart uploads in the bucket.',
    PURGE_FILES: 'Purges files whose time in the trash has ended: deletes their versions and releases their bytes.',
    DELETE_BLOBS: 'Deletes released bytes: first the object in the bucket, then the row.',
    RECONCILE: 'Compares the bucket with the database, in both directions.',
    VERIFY: 'Reads stored bytes and compares them with what was committed.',
  }),
})

const CleanupStateEnum = builder.enumType('CleanupState', {
  description: 'The state of a cleanup run.',
  values: valuesOf<CleanupState>({
    QUEUED: 'Waits for a worker, to start or to continue.',
    RUNNING: 'In progress.',
    DONE: 'Finished.',
    STOPPED:
      'Stopped before it deleted anything, because it would have exceeded the safety limit. A person has to review ' +
      'it.',
    REFUSED: 'Deleted nothing, because the evidence was in doubt.',
    FAILED: 'The database or the bucket did not respond. The next run continues.',
  }),
})

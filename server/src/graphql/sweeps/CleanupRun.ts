import { type CleanupRun as RunRow, listCleanupRuns, type CleanupState } from '../../domain/sweeps/runs/listRuns.ts'
import type { CleanupKind } from '../../domain/sweeps/runs/recordRun.ts'
import { builder, connectionOf } from '../builder.ts'
import { valuesOf } from '../enums.ts'
import { Principal } from '../identity/Principal.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { callerOf } from '../requestContext.ts'

const CleanupCount = builder.objectRef<readonly [string, number]>('CleanupCount').implement({
  description: 'How many of something.',
  fields: (t) => ({
    what: t.string({
      description:
        'The gate that held them (`STATUS`, `REFERENCES`, `TIME`, `USE`, `RELEASE`, `IDENTITY`, `STORE`, `HOLD`, ' +
        '`ATTACHED`, `PENDING_INTENT`, `INCONSISTENT`, `GRACE`), or what was found (`orphan`, `missing`, `different`, `returned`).',
      resolve: ([what]) => what,
    }),
    count: t.field({ type: 'ByteSize', description: 'How many.', resolve: ([, count]) => count }),
  }),
})

const CleanupItem = builder
  .objectRef<{ readonly what: string; readonly key: string; readonly byteSize: number | null }>('CleanupItem')
  .implement({
    description: 'One of the things that a run dealt with.',
    fields: (t) => ({
      what: t.exposeString('what', { description: '`deleted`, the gate that held it, or what was found.' }),
      key: t.exposeString('key', { description: 'The object key, or the id of a row.' }),
      byteSize: t.expose('byteSize', { type: 'ByteSize', nullable: true, description: 'Its size in bytes, if known.' }),
    }),
  })

export const CleanupRun = builder.objectRef<RunRow>('CleanupRun').implement({
  description: 'What one sweep looked at, deleted, and left alone. Runs that had nothing to do are not recorded.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Opaque and global.', resolve: ({ id }) => nodeId('CleanupRun', id) }),
    kind: t.field({ type: CleanupKindEnum, description: 'What it sweeps.', resolve: ({ kind }) => kind }),
    state: t.field({ type: CleanupStateEnum, description: 'How it stands.', resolve: ({ state }) => state }),
    isDryRun: t.exposeBoolean('isDryRun', { description: 'Whether it only looks and tells.' }),
    before: t.expose('before', {
      type: 'DateTime',
      nullable: true,
      description: 'Only what was deleted or released before this time; null is the usual cut-off.',
    }),
    exceedsBrake: t.exposeBoolean('exceedsBrake', { description: 'Whether it may delete more than the brake allows.' }),
    requestedBy: t.field({
      type: Principal,
      description: 'Who asked for it; Filegraph itself for those of the schedule.',
      resolve: ({ requestedBy }) => requestedBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    examined: t.expose('examined', { type: 'ByteSize', description: 'How many things it looked at.' }),
    deleted: t.expose('deleted', {
      type: 'ByteSize',
      description: 'How many it deleted; in a dry run how many it would delete.',
    }),
    deletedBytes: t.expose('deletedBytes', { type: 'ByteSize', description: 'Their sizes together.' }),
    held: t.field({
      type: [CleanupCount],
      description: 'How many it left alone, by the first gate that held each.',
      resolve: ({ held }) => Object.entries(held),
    }),
    found: t.field({
      type: [CleanupCount],
      description: 'What it found amiss.',
      resolve: ({ found }) => Object.entries(found),
    }),
    items: t.field({
      type: [CleanupItem],
      description: 'The first hundred of what it deleted, would delete, held or found.',
      resolve: ({ sample }) => [...sample],
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'Why it was stopped or refused, or failed; a sentence for people.',
    }),
  }),
})

const CleanupRunFilter = builder.inputType('CleanupRunFilter', {
  description: 'Which runs to list. Conditions are joined by "and".',
  fields: (t) => ({
    kind: t.field({ type: CleanupKindEnum, description: 'Of this kind alone.' }),
    state: t.field({ type: CleanupStateEnum, description: 'In this state alone.' }),
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
      description: 'What the sweeps of the tenant did, newest first.',
      args: { filter: t.arg({ type: CleanupRunFilter, description: 'Which runs.' }) },
      resolve: async (_root, { filter, ...page }, context) => {
        const asked = { kind: filter?.kind ?? null, state: filter?.state ?? null }
        return connectionOf(await listCleanupRuns(callerOf(context), asked, page), {})
      },
    },
    CleanupRunConnection,
  ),
)

export const CleanupKindEnum = builder.enumType('CleanupKind', {
  description: 'What a run sweeps.',
  values: valuesOf<CleanupKind>({
    EXPIRE_UPLOADS: 'Upload intents whose time is over.',
    ABORT_UPLOADS: 'Multipart uploads in the bucket that nobody finished.',
    PURGE_FILES: 'Files whose time in the trash is over: they lose their versions, and release their bytes.',
    DELETE_BLOBS: 'Released bytes: they lose their object, then their row.',
    RECONCILE: 'The bucket against the rows, in both directions.',
    VERIFY: 'Reads stored bytes whole and compares them with what was committed.',
  }),
})

const CleanupStateEnum = builder.enumType('CleanupState', {
  description: 'How a run stands.',
  values: valuesOf<CleanupState>({
    QUEUED: 'Asked for, and not begun.',
    RUNNING: 'Under way.',
    DONE: 'Came to its end.',
    STOPPED: 'The brake was pulled before anything was deleted: a person has to look.',
    REFUSED: 'What it would have had to believe was doubtful, so it deleted nothing.',
    FAILED: 'The database or the bucket gave no usable answer; the next run goes on.',
  }),
})

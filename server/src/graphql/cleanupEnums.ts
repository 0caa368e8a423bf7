import type { CleanupState } from '../domain/cleanup/listCleanupRuns.ts'
import type { CleanupKind } from '../domain/cleanup/recordRun.ts'
import { builder } from './builder.ts'
import { valuesOf } from './enums.ts'

export const CleanupKindEnum = builder.enumType('CleanupKind', {
  description: 'What a run sweeps.',
  values: valuesOf<CleanupKind>({
    EXPIRE_UPLOADS: 'Upload intents whose time is over.',
    ABORT_UPLOADS: 'Multipart uploads in the bucket that nobody finished.',
    PURGE_FILES: 'Files whose time in the trash is over: they lose their versions, and release their bytes.',
    DELETE_BLOBS: 'Released bytes: they lose their object, then their row.',
    RECONCILE: 'The bucket against the rows, in both directions.',
    VERIFY: 'A sample of the stored bytes against what was committed.',
  }),
})

export const CleanupStateEnum = builder.enumType('CleanupState', {
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

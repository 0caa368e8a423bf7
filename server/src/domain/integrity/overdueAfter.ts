import type { CleanupSettings } from '../cleanup/cleanupSettings.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/**
 * From when on something is late: its usual time, and as long again as a sweep of the schedule, or a store that was away
 * for some days, can hold it up.
 */
export const overdueAfter = {
  /** Since a blob became `deleting`. */
  deletingMs: ({ purgeGraceMs }: Pick<CleanupSettings, 'purgeGraceMs'>) => purgeGraceMs + 7 * dayMs,
  /** Since an upload intent ended. */
  pendingMs: dayMs,
  /** Since an object without a row was first seen: the reconcile that deletes it comes once a day. */
  orphanMs: ({ orphanGraceMs }: Pick<CleanupSettings, 'orphanGraceMs'>) => orphanGraceMs + dayMs + 12 * hourMs,
}

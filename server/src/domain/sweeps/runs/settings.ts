import { limits } from '../../limits.ts'

/** How careful the sweeps are. The same for every tenant; set by the operator. */
export interface CleanupSettings {
  /** How long released bytes stay before they are deleted: longer than an upload address works. */
  readonly purgeGraceMs: number
  /** How long an object that no row knows is watched before it is deleted. */
  readonly orphanGraceMs: number
  /**
   * How long a database server that was not known before has to mark the bucket before it may delete: several times as long
   * as another database needs to notice it. Zero where no other database can reach the bucket.
   */
  readonly settleMs: number
  /** A run that would delete more stops before it deletes anything. */
  readonly brakeObjects: number
  /** So does one that would delete more than this part of a tenant's objects, where those are many. */
  readonly brakeShare: number
  /** Objects that a reconcile lists in a second, at most: more would slow down requests to the same process. */
  readonly listedPerSecond: number
  /** How many blobs of a tenant one verification reads, at most. */
  readonly verifiedBlobs: number
  /** How many bytes of a tenant one verification reads, at most. A larger blob gets a run of its own. */
  readonly verifiedBytes: number
  /** How long a verification of one tenant takes on new blobs. */
  readonly verifiedForMs: number
  /** How long bytes with a proved SHA-256 stay unread after their commit and after each verification. */
  readonly verifiedAfterMs: number
}

export const usualCleanup: CleanupSettings = {
  purgeGraceMs: 15 * 60_000,
  orphanGraceMs: 24 * 3_600_000,
  settleMs: 5 * 60_000,
  brakeObjects: 100_000,
  brakeShare: 0.5,
  listedPerSecond: 2_000,
  verifiedBlobs: limits.verifiedBlobsPerRun,
  verifiedBytes: limits.verifiedBytesPerRun,
  verifiedForMs: limits.verifiedSecondsPerRun * 1_000,
  verifiedAfterMs: limits.verifiedAfterDays * 86_400_000,
}

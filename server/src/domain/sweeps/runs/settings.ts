import { limits } from '../../limits.ts'

/** The operator's settings of the sweeps. The same for every tenant. */
export interface CleanupSettings {
  /** How long released bytes stay before they are deleted. Longer than an upload URL is valid. */
  readonly purgeGraceMs: number
  /** How long an object without a row is watched before it is deleted. */
  readonly orphanGraceMs: number
  /**
   * How long a new database server has to mark the bucket before it may delete: several times as long as another
   * database needs to notice it. 0 if no other database can reach the bucket.
   */
  readonly settleMs: number
  /** A run that would delete more objects stops before it deletes any. */
  readonly brakeObjects: number
  /** A run that would delete a larger share of a tenant's objects stops, unless there are few. */
  readonly brakeShare: number
  /** The maximum rate of a reconcile's listing. More would slow down requests to the same process. */
  readonly listedPerSecond: number
  /** How long a reconcile lists before it gives its lane to other tenants. It continues where it stopped. */
  readonly listedForMs: number
  /** The time between two heartbeats of a run. */
  readonly heartbeatMs: number
  /** A run without a heartbeat for so long has lost its worker. Several times as long as `heartbeatMs`. */
  readonly silentMs: number
  /** The maximum number of blobs in one verification of a tenant. */
  readonly verifiedBlobs: number
  /** The maximum number of bytes in one verification of a tenant. A larger blob gets a run of its own. */
  readonly verifiedBytes: number
  /** The time limit for starting new blobs in one verification of a tenant. */
  readonly verifiedForMs: number
  /** How long bytes with a verified SHA-256 are not read again. */
  readonly verifiedAfterMs: number
}

export const usualCleanup: CleanupSettings = {
  purgeGraceMs: 15 * 60_000,
  orphanGraceMs: 24 * 3_600_000,
  settleMs: 5 * 60_000,
  brakeObjects: 100_000,
  brakeShare: 0.5,
  listedPerSecond: 2_000,
  listedForMs: limits.reconcileSecondsPerTurn * 1_000,
  heartbeatMs: limits.heartbeatSeconds * 1_000,
  silentMs: limits.silentRunSeconds * 1_000,
  verifiedBlobs: limits.verifiedBlobsPerRun,
  verifiedBytes: limits.verifiedBytesPerRun,
  verifiedForMs: limits.verifiedSecondsPerRun * 1_000,
  verifiedAfterMs: limits.verifiedAfterDays * 86_400_000,
}

/** The facts about an object without a row, read again right before the delete. */
export interface OrphanEvidence {
  readonly objectKey: string
  /** As recorded by the watch. */
  readonly byteSize: number
  readonly etag: string
  readonly firstSeenAt: Date
  readonly seenByRun: string
  /** Rows of this database with this key or with the blob id in it. */
  readonly rowCount: number
  /** Upload intents of this database for the blob id in the key, open and ended. */
  readonly openIntentCount: number
  readonly endedIntentCount: number
  /** The number of `blob.purged` events for exactly this blob. */
  readonly purgeCount: number
  /** The object as the store reports it now. Null: it does not exist. */
  readonly stored: {
    readonly byteSize: number
    readonly etag: string
    readonly lastModified: Date | null
    readonly installation: string | null
  } | null
  /** Whether the bucket has our newest marker and no veto, and the settling time of the server is over. */
  readonly isOwnBucket: boolean
  /** The earlier of the application's and the database's clock. */
  readonly now: Date
}

/** The parameters of the gates. */
export interface OrphanRule {
  readonly installationId: string
  /** Null in a dry run, which records nothing. */
  readonly runId: string | null
  readonly graceMs: number
  /** An operator's permission to delete objects that this database never created. */
  readonly includesForeign: boolean
}

export type OrphanGate = 'ROWS' | 'BUCKET' | 'WATCH' | 'OBJECT' | 'FOREIGN'

type GateOpens = (orphan: OrphanEvidence, rule: OrphanRule) => boolean

/** Witness: the rows of this database. None has the key or the blob id. */
export const rowsGate: GateOpens = ({ rowCount }) => rowCount === 0

/** Witness: the bucket. Its newest marker is ours, and no database objects. */
export const bucketGate: GateOpens = ({ isOwnBucket }) => isOwnBucket

/**
 * Witness: the watch, by two clocks. This run has listed the object, and it was first seen at least the grace period
 * ago.
 */
export const watchGate: GateOpens = ({ firstSeenAt, seenByRun, now }, { runId, graceMs }) =>
  (runId === null || seenByRun === runId) && firstSeenAt.getTime() + graceMs <= now.getTime()

/**
 * Witness: the store. The object is the one that was watched, is older than the grace period, and does not name another
 * installation as its writer.
 */
export const objectGate: GateOpens = ({ stored, byteSize, etag, now }, { graceMs, installationId }) =>
  stored !== null &&
  stored.byteSize === byteSize &&
  stored.etag === etag &&
  stored.lastModified !== null &&
  stored.lastModified.getTime() + graceMs <= now.getTime() &&
  (stored.installation === null || stored.installation === installationId)

/**
 * Witness: the history of this database. It created the upload intent, the intent has ended, and the journal records
 * that the purge removed the row. A restored or copied database has no such history of later objects.
 */
export const foreignGate: GateOpens = ({ openIntentCount, endedIntentCount, purgeCount }, { includesForeign }) =>
  openIntentCount === 0 && (includesForeign || (endedIntentCount > 0 && purgeCount > 0))

/** Each gate alone is enough to keep the bytes that its witness knows. */
export const orphanGates: Readonly<Record<OrphanGate, GateOpens>> = {
  ROWS: rowsGate,
  BUCKET: bucketGate,
  WATCH: watchGate,
  OBJECT: objectGate,
  FOREIGN: foreignGate,
}

/** The first closed gate. Null if the object may be deleted. */
export function orphanHeldBy(
  orphan: OrphanEvidence,
  rule: OrphanRule,
  gates: Readonly<Partial<Record<OrphanGate, GateOpens>>> = orphanGates,
): OrphanGate | null {
  const shut = Object.entries(gates).find(([, opens]) => !opens(orphan, rule))
  return (shut?.[0] as OrphanGate | undefined) ?? null
}

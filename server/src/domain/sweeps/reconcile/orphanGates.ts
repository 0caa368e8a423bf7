/** What is known about an object that no row names and that may be deleted, read again right before. */
export interface OrphanEvidence {
  readonly objectKey: string
  /** As the watch knows it. */
  readonly byteSize: number
  readonly etag: string
  readonly firstSeenAt: Date
  readonly seenByRun: string
  /** Rows of this database that have this key, or the blob id in it. */
  readonly rowCount: number
  /** Upload intents of this database for the blob id in the key, by whether they have ended. */
  readonly openIntentCount: number
  readonly endedIntentCount: number
  /** How often the journal says that the purge removed the row of exactly this blob. */
  readonly purgeCount: number
  /** What the store says of the object now. Null: it is gone. */
  readonly stored: {
    readonly byteSize: number
    readonly etag: string
    readonly lastModified: Date | null
    readonly installation: string | null
  } | null
  /** Whether the bucket has our newest marker and no veto, and the server process has marked it for long enough. */
  readonly isOwnBucket: boolean
  /** The earlier of the application's and the database's clock. */
  readonly now: Date
}

/** How a run decides. */
export interface OrphanRule {
  readonly installationId: string
  /** Null in a dry run, which notes nothing that it sees. */
  readonly runId: string | null
  readonly graceMs: number
  /** An operator's word: objects that this database never made may be deleted too. */
  readonly includesForeign: boolean
}

export type OrphanGate = 'ROWS' | 'BUCKET' | 'WATCH' | 'OBJECT' | 'FOREIGN'

type GateOpens = (orphan: OrphanEvidence, rule: OrphanRule) => boolean

/** Witness: the rows of this database. None has the key or the blob id. */
export const rowsGate: GateOpens = ({ rowCount }) => rowCount === 0

/** Witness: the bucket. Its newest marker is ours, and no database objects. */
export const bucketGate: GateOpens = ({ isOwnBucket }) => isOwnBucket

/** Witness: our own watch, by two clocks. This run has listed it, and the grace period has passed since the first time. */
export const watchGate: GateOpens = ({ firstSeenAt, seenByRun, now }, { runId, graceMs }) =>
  (runId === null || seenByRun === runId) && firstSeenAt.getTime() + graceMs <= now.getTime()

/**
 * Witness: the object itself. The store says that it is the one that was watched, that it is older than the grace period,
 * and it does not name another installation as its writer.
 */
export const objectGate: GateOpens = ({ stored, byteSize, etag, now }, { graceMs, installationId }) =>
  stored !== null &&
  stored.byteSize === byteSize &&
  stored.etag === etag &&
  stored.lastModified !== null &&
  stored.lastModified.getTime() + graceMs <= now.getTime() &&
  (stored.installation === null || stored.installation === installationId)

/**
 * Witness: the history of this database. It once issued the upload intent, the intent has ended, and the journal says that
 * the purge removed the row. A database that was restored or copied lacks this for all that came later.
 */
export const foreignGate: GateOpens = ({ openIntentCount, endedIntentCount, purgeCount }, { includesForeign }) =>
  openIntentCount === 0 && (includesForeign || (endedIntentCount > 0 && purgeCount > 0))

/** Each is enough alone to keep the bytes that its witness knows. */
export const orphanGates: Readonly<Record<OrphanGate, GateOpens>> = {
  ROWS: rowsGate,
  BUCKET: bucketGate,
  WATCH: watchGate,
  OBJECT: objectGate,
  FOREIGN: foreignGate,
}

/** The first gate that stays shut; null when the object may be deleted. */
export function orphanHeldBy(
  orphan: OrphanEvidence,
  rule: OrphanRule,
  gates: Readonly<Partial<Record<OrphanGate, GateOpens>>> = orphanGates,
): OrphanGate | null {
  const shut = Object.entries(gates).find(([, opens]) => !opens(orphan, rule))
  return (shut?.[0] as OrphanGate | undefined) ?? null
}

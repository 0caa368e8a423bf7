import pMap from 'p-map'
import type { BlobStore } from '../../../storage/blobStore.ts'

/** The facts about a blob that may be deleted, read in one transaction with its row locked. */
export interface BlobEvidence {
  readonly id: string
  readonly objectKey: string
  readonly byteSize: number
  /** Null for bytes that were never committed. */
  readonly etag: string | null
  readonly status: 'pending' | 'ready' | 'deleting'
  readonly refcount: number
  /** Counted now, independently of `refcount`. */
  readonly versionCount: number
  readonly createdAt: Date
  readonly deletingSince: Date | null
  /** The database's clock at the time of the read. */
  readonly databaseNow: Date
  /** Attachments, holds and pending upload intents of every file that ever had these bytes. */
  readonly attachmentCount: number
  readonly holdCount: number
  readonly pendingIntentCount: number
  /** The number of `blob.released` events for exactly this blob. */
  readonly releaseCount: number
}

/** The minimum age of a release. */
export interface CutOff {
  readonly releasedBefore: Date
  readonly graceMs: number
}

export type Gate = 'STATUS' | 'REFERENCES' | 'TIME' | 'USE' | 'RELEASE'

type GateOpens = (blob: BlobEvidence, cutOff: CutOff) => boolean

/** The blob is `deleting`. No transition leads back from that status. */
export const statusGate: GateOpens = ({ status }) => status === 'deleting'

/** No version has these bytes, by the counter and by a fresh count. */
export const referencesGate: GateOpens = ({ refcount, versionCount }) => refcount === 0 && versionCount === 0

/**
 * The blob was released long enough ago, by the cut-off and by the database's clock. A cut-off in the future keeps the
 * gate closed.
 */
export const timeGate: GateOpens = ({ deletingSince, databaseNow }, { releasedBefore, graceMs }) =>
  deletingSince !== null &&
  releasedBefore <= databaseNow &&
  deletingSince <= releasedBefore &&
  deletingSince.getTime() + graceMs <= databaseNow.getTime()

/** No file that ever had these bytes is attached, under hold or about to get a new version. */
export const useGate: GateOpens = ({ attachmentCount, holdCount, pendingIntentCount }) =>
  attachmentCount === 0 && holdCount === 0 && pendingIntentCount === 0

/** The transaction that dropped the last reference wrote the event into the append-only journal. */
export const releaseGate: GateOpens = ({ releaseCount }) => releaseCount > 0

/** Each gate alone is enough to keep the bytes of a file in use. */
export const allGates: Readonly<Record<Gate, GateOpens>> = {
  STATUS: statusGate,
  REFERENCES: referencesGate,
  TIME: timeGate,
  USE: useGate,
  RELEASE: releaseGate,
}

/** The first closed gate. Null if the bytes may be deleted. */
export function heldBy(
  blob: BlobEvidence,
  cutOff: CutOff,
  gates: Readonly<Partial<Record<Gate, GateOpens>>> = allGates,
): Gate | null {
  const shut = Object.entries(gates).find(([, opens]) => !opens(blob, cutOff))
  return (shut?.[0] as Gate | undefined) ?? null
}

type Identified = 'SAME' | 'ABSENT' | 'ANOTHER'

const requestsAtOnce = 32

/**
 * Compares the object under each key with the committed one.
 * - SAME: the committed object, by ETag and size, or any object of an upload that was never committed.
 * - ABSENT: the store reports no object. This is not proof: the caller still sends the DELETE.
 * - ANOTHER: a different object, which must not be deleted.
 *
 * Rejects with `BlobStoreUnavailable` if any answer is missing.
 */
export const identifyObjects = (
  store: BlobStore,
  tenantId: string,
  blobs: readonly BlobEvidence[],
): Promise<Identified[]> =>
  pMap(blobs, (blob) => identifyObject(store, tenantId, blob), { concurrency: requestsAtOnce })

async function identifyObject(store: BlobStore, tenantId: string, blob: BlobEvidence): Promise<Identified> {
  if (!blob.objectKey.startsWith(`org/${tenantId}/files/${blob.id}`)) return 'ANOTHER'
  const stored = await store.head(blob.objectKey)
  if (!stored) return 'ABSENT'
  if (blob.etag === null) return 'SAME'
  return stored.etag === blob.etag && stored.byteSize === blob.byteSize ? 'SAME' : 'ANOTHER'
}

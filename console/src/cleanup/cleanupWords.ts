import type { CleanupKind, CleanupState, CleanupRowFragment } from '../apollo/operations.ts'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'

interface KindWords {
  readonly name: string
  /** What a run of this kind does, for the person who requests one. */
  readonly does: string
  /** The verbs for an item, of a real run and of a dry run. Default: deleted. */
  readonly verbs?: readonly [string, string]
}

export const cleanupKinds: Readonly<Record<CleanupKind, KindWords>> = {
  PURGE_FILES: {
    name: 'Empty the trash',
    does: 'Deletes files forever whose time in the trash is over. Their bytes are released, and deleted later.',
  },
  DELETE_BLOBS: {
    name: 'Delete released bytes',
    does: 'Deletes bytes from the bucket that no file uses any more, some time after they were released.',
  },
  RECONCILE: {
    name: 'Compare bucket and files',
    does: 'Compares the bucket with the files. Objects without a file are watched, and deleted after a while. Files whose bytes are missing are marked.',
  },
  VERIFY: {
    name: 'Verify stored bytes',
    does: 'Reads stored bytes and compares them with what was uploaded, least recently verified first. Files that differ are marked as damaged, and cleared once their bytes are correct again. Deletes nothing.',
  },
  EXPIRE_UPLOADS: {
    name: 'Expire unfinished uploads',
    does: 'Ends uploads that were not finished in time, and frees the space that they reserved.',
    verbs: ['expired', 'would expire'],
  },
  ABORT_UPLOADS: {
    name: 'Clear half-sent uploads',
    does: 'Deletes parts of large files from the bucket that were sent but never completed.',
  },
}

/** Kinds that only a newer server knows are shown by name. */
export const nameOfKind = (kind: string): string =>
  Object.hasOwn(cleanupKinds, kind) ? cleanupKinds[kind as CleanupKind].name : plain(kind)

export const stateNames: Readonly<Record<CleanupState, string>> = {
  QUEUED: 'Waiting',
  RUNNING: 'Running',
  DONE: 'Done',
  STOPPED: 'Stopped by the brake',
  REFUSED: 'Refused',
  FAILED: 'Failed',
}

/** Why an item was left alone. Each follows a number, as in "3 still part of a file". */
const gates: Readonly<Record<string, string>> = {
  STATUS: 'not released',
  REFERENCES: 'still part of a file',
  TIME: 'not released for long enough',
  USE: 'of a file that is in use, held or being uploaded',
  RELEASE: 'without a record of their release',
  IDENTITY: 'not what was uploaded',
  STORE: 'that the bucket did not delete',
  HOLD: 'under legal hold',
  ATTACHED: 'in use',
  PENDING_INTENT: 'with a new version under way',
  INCONSISTENT: 'with versions that contradict each other',
  GRACE: 'not watched for long enough',
}

/** The kinds of problems. Each follows a number of objects, as in "3 missing from the bucket". */
const findings: Readonly<Record<string, string>> = {
  orphan: 'in the bucket without a file',
  missing: 'missing from the bucket',
  different: 'not what was uploaded',
  returned: 'intact again',
}

/** "deleted", or "would delete" for a dry run. */
export function verbOf({ kind, isDryRun }: { readonly kind: CleanupKind; readonly isDryRun: boolean }): string {
  const [done, planned] = cleanupKinds[kind]?.verbs ?? ['deleted', 'would delete']
  return isDryRun ? planned : done
}

export const nameOfGate = (what: string): string => (Object.hasOwn(gates, what) ? (gates[what] ?? what) : plain(what))

export const nameOfFinding = (what: string): string =>
  Object.hasOwn(findings, what) ? (findings[what] ?? what) : plain(what)

/** The result for one item: it was deleted, a gate held it, or it is a problem. */
export function nameOfOutcome(what: string, run: { readonly kind: CleanupKind; readonly isDryRun: boolean }): string {
  if (what === 'deleted') return verbOf(run)
  return Object.hasOwn(gates, what) ? `left alone: ${nameOfGate(what)}` : nameOfFinding(what)
}

const plain = (text: string) => text.toLowerCase().replaceAll('_', ' ')

type Counted = Pick<
  CleanupRowFragment,
  'kind' | 'isDryRun' | 'startedAt' | 'examined' | 'deleted' | 'deletedBytes' | 'held' | 'found' | 'state' | 'message'
>

/** Whether a run can still change. */
export const isUnfinished = ({ state }: Pick<CleanupRowFragment, 'state'>): boolean =>
  state === 'QUEUED' || state === 'RUNNING'

/** The result of a run in one line: "Looked at 12 · deleted 3 (1.2 MB) · left 2 alone · found 1 problem". */
export function summaryOf(run: Counted): string {
  if (run.state === 'QUEUED') return run.startedAt ? 'Continues when a worker is free' : 'Begins within a minute'
  if (run.examined === 0 && run.message) return run.message
  if (run.state === 'DONE' && run.examined === 0) return 'Nothing to look at'
  const held = total(run.held)
  const found = total(run.found)
  const parts = [
    `Looked at ${formatCount(run.examined)}`,
    run.deleted > 0 && `${verbOf(run)} ${formatCount(run.deleted)}${inBytes(run.deletedBytes)}`,
    held > 0 && `left ${formatCount(held)} alone`,
    found > 0 && `found ${formatCount(found)} ${found === 1 ? 'problem' : 'problems'}`,
    run.state === 'DONE' && run.examined > 0 && run.deleted + held + found === 0 && 'no problems',
  ]
  return parts.filter(Boolean).join(' · ')
}

/** Bytes are missing or damaged, and a person has to act. */
export const isAlarming = ({ found, held }: Pick<Counted, 'found' | 'held'>): boolean =>
  [...found, ...held].some(({ what }) => what === 'missing' || what === 'different' || what === 'IDENTITY')

/**
 * The message of the brake if it stopped the last real run, and undefined otherwise. `runs` are of one kind, newest first.
 */
export function brakeOf(
  runs: readonly Pick<CleanupRowFragment, 'state' | 'isDryRun' | 'message'>[],
): string | undefined {
  const last = runs.find((run) => !run.isDryRun && !isUnfinished(run))
  return last?.state === 'STOPPED' ? (last.message ?? '') : undefined
}

const inBytes = (bytes: number) => (bytes > 0 ? ` (${formatBytes(bytes)})` : '')

const total = (counts: readonly { readonly count: number }[]) => counts.reduce((sum, each) => sum + each.count, 0)

import type { CleanupRowFragment } from '../apollo/operations.ts'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { verbOf } from './cleanupWords.ts'

type Counted = Pick<
  CleanupRowFragment,
  'kind' | 'isDryRun' | 'examined' | 'deleted' | 'deletedBytes' | 'held' | 'found' | 'state' | 'message'
>

/** Whether a run is still to change. */
export const isUnfinished = ({ state }: Pick<CleanupRowFragment, 'state'>): boolean =>
  state === 'QUEUED' || state === 'RUNNING'

/** What a run did in a line: "Looked at 12 · deleted 3 (1.2 MB) · left 2 alone · found 1 problem". */
export function summaryOf(run: Counted): string {
  if (run.state === 'QUEUED') return 'Begins within a minute'
  if (run.examined === 0 && run.message) return run.message
  if (run.state === 'DONE' && run.examined === 0) return 'There was nothing to look at'
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

/** Bytes that should be there and are not: somebody has to look. */
export const isAlarming = ({ found, held }: Pick<Counted, 'found' | 'held'>): boolean =>
  [...found, ...held].some(({ what }) => what === 'missing' || what === 'different' || what === 'IDENTITY')

/**
 * What the brake said when it stopped the last run that was for real; undefined where that came to another end. `runs` are
 * of one kind, newest first.
 */
export function brakeOf(
  runs: readonly Pick<CleanupRowFragment, 'state' | 'isDryRun' | 'message'>[],
): string | undefined {
  const last = runs.find((run) => !run.isDryRun && !isUnfinished(run))
  return last?.state === 'STOPPED' ? (last.message ?? '') : undefined
}

const inBytes = (bytes: number) => (bytes > 0 ? ` (${formatBytes(bytes)})` : '')

const total = (counts: readonly { readonly count: number }[]) => counts.reduce((sum, each) => sum + each.count, 0)

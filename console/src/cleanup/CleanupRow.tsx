import {
  Check,
  CircleDashed,
  CircleStop,
  LoaderCircle,
  type LucideIcon,
  ShieldAlert,
  TriangleAlert,
} from 'lucide-react'
import { memo } from 'react'
import type { CleanupState, CleanupRowFragment } from '../apollo/operations.ts'
import { Time } from '../ui/Time.tsx'
import { formatDuration } from '../ui/formatTime.ts'
import { stateNames, nameOfKind, isAlarming, summaryOf } from './cleanupWords.ts'

const looks: Readonly<Record<CleanupState, readonly [LucideIcon, string]>> = {
  QUEUED: [CircleDashed, 'badge badge-use'],
  RUNNING: [LoaderCircle, 'badge badge-use'],
  DONE: [Check, 'badge'],
  STOPPED: [CircleStop, 'badge badge-hold'],
  REFUSED: [ShieldAlert, 'badge badge-hold'],
  FAILED: [TriangleAlert, 'badge badge-alarm'],
}

/** The state of a run, as an icon, a word and a colour. */
function RunState({ state }: { state: CleanupState }) {
  const [Icon, className] = looks[state]
  return (
    <span className={className}>
      <Icon size={13} aria-hidden /> {stateNames[state]}
    </span>
  )
}

interface CleanupRowProps {
  readonly run: CleanupRowFragment
  readonly onOpen: (id: string) => void
}

/** The cells of a run: its kind and its result in two lines. The details show everything else. */
export const CleanupRow = memo(function CleanupRow({ run, onOpen }: CleanupRowProps) {
  return (
    <>
      <div role="cell" className="run-text">
        <span className="run-title">
          <button type="button" className="entry-open run-name" data-row-focus onClick={() => onOpen(run.id)}>
            {nameOfKind(run.kind)}
          </button>
          <RunBadges run={run} />
        </span>
        <span className={isAlarming(run) ? 'run-summary run-alarming' : 'run-summary soft'}>{summaryOf(run)}</span>
      </div>
      <div role="cell" className="cell-when run-time">
        <Time at={run.startedAt ?? run.createdAt} />
        {run.startedAt && run.finishedAt && (
          <span className="run-took">
            took {formatDuration(Date.parse(run.finishedAt) - Date.parse(run.startedAt))}
          </span>
        )}
      </div>
    </>
  )
})

export const RunBadges = ({ run }: { run: CleanupRowFragment }) => (
  <span className="run-badges">
    <RunState state={run.state} />
    {run.isDryRun && <span className="badge badge-use">Dry run</span>}
  </span>
)

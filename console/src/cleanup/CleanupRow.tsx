import { memo } from 'react'
import type { CleanupRowFragment } from '../apollo/operations.ts'
import { formatDuration } from '../ui/formatTime.ts'
import { Time } from '../ui/Time.tsx'
import { nameOfKind } from './cleanupWords.ts'
import { RunState } from './RunState.tsx'
import { isAlarming, summaryOf } from './summaryOf.ts'

interface CleanupRowProps {
  readonly run: CleanupRowFragment
  readonly onOpen: (id: string) => void
}

/** The cells of a run: what it was and did in two lines. Everything else that is known stands in its details. */
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

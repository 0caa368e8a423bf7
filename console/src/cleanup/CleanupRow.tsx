import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import type { CleanupRowFragment } from '../apollo/operations.ts'
import { formatDuration } from '../ui/formatTime.ts'
import { Time } from '../ui/Time.tsx'
import { nameOfKind } from './cleanupWords.ts'
import { RunDetails } from './RunDetails.tsx'
import { RunState } from './RunState.tsx'
import { isAlarming, summaryOf } from './summaryOf.ts'

/** What a run was and did in two lines, and everything else that is known behind them. */
export function CleanupRow({ run, isOpenAtFirst }: { run: CleanupRowFragment; isOpenAtFirst: boolean }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  return (
    <details className="entry" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="entry-line">
        <ChevronRight className="entry-arrow" size={16} aria-hidden />
        <span className="run-text">
          <span className="run-title">
            <span className="run-name">{nameOfKind(run.kind)}</span> <RunState state={run.state} />
            {run.isDryRun && <span className="badge badge-use">Dry run</span>}
          </span>
          <span className={isAlarming(run) ? 'run-summary run-alarming' : 'run-summary soft'}>{summaryOf(run)}</span>
        </span>
        <span className="run-time soft">
          <Time at={run.startedAt ?? run.createdAt} />
          {run.startedAt && run.finishedAt && (
            <span className="run-took">
              took {formatDuration(Date.parse(run.finishedAt) - Date.parse(run.startedAt))}
            </span>
          )}
        </span>
      </summary>
      {isOpen && <RunDetails run={run} />}
    </details>
  )
}

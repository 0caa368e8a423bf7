import type { CleanupRowFragment } from '../apollo/operations.ts'
import { Fact } from '../ui/Fact.tsx'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { exactTime } from '../ui/formatTime.ts'
import { UserText } from '../ui/UserText.tsx'
import { nameOfFinding, nameOfGate, verbOf } from './cleanupWords.ts'
import { RunItems } from './RunItems.tsx'

/** Everything about a run. */
export function RunDetails({ run }: { run: CleanupRowFragment }) {
  return (
    <div className="run-details">
      {run.message && <p className="run-message">{run.message}</p>}
      <dl className="facts">
        <Fact label="Asked for">
          {exactTime(run.createdAt)} by <UserText wrap>{run.requestedBy.name}</UserText>
        </Fact>
        <Fact label="Began">{run.startedAt ? exactTime(run.startedAt) : 'not yet'}</Fact>
        <Fact label="Ended">{run.finishedAt ? exactTime(run.finishedAt) : 'not yet'}</Fact>
        {run.before && <Fact label="Only before">{exactTime(run.before)}</Fact>}
        {run.exceedsBrake && <Fact label="Brake">was told to exceed it</Fact>}
        <Fact label="Looked at">{formatCount(run.examined)}</Fact>
        <Fact label={capitalised(verbOf(run))}>
          {formatCount(run.deleted)} {run.deletedBytes > 0 && <>({formatBytes(run.deletedBytes)})</>}
        </Fact>
        {run.held.length > 0 && (
          <Fact label="Left alone">
            <Counts counts={run.held} nameOf={nameOfGate} />
          </Fact>
        )}
        {run.found.length > 0 && (
          <Fact label="Found">
            <Counts counts={run.found} nameOf={nameOfFinding} />
          </Fact>
        )}
        <RunItems run={run} />
      </dl>
    </div>
  )
}

interface CountsProps {
  readonly counts: CleanupRowFragment['held']
  readonly nameOf: (what: string) => string
}

const Counts = ({ counts, nameOf }: CountsProps) => (
  <ul>
    {counts.map(({ what, count: many }) => (
      <li key={what}>
        {formatCount(many)} {nameOf(what)}
      </li>
    ))}
  </ul>
)

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

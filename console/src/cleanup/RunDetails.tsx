import { useQuery } from '@apollo/client/react'
import { type CleanupRowFragment, CleanupRunByIdDocument } from '../apollo/operations.ts'
import { wordError } from '../apollo/wordRefusal.ts'
import { Button } from '../ui/Button.tsx'
import { NoSuchRow, Sheet } from '../ui/Sheet.tsx'
import { Fact } from '../ui/Fact.tsx'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { exactTime } from '../ui/formatTime.ts'
import { UserText } from '../ui/UserText.tsx'
import { RunBadges } from './CleanupRow.tsx'
import { nameOfFinding, nameOfGate, nameOfKind, verbOf } from './cleanupWords.ts'
import { RunItems } from './RunItems.tsx'
import { isAlarming, isUnfinished, summaryOf } from './summaryOf.ts'
import { useUnfinishedRuns } from './useUnfinishedRuns.ts'

/** Everything about a run. Its id stands in the address, so that this can be linked to. */
export function RunDetails({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(CleanupRunByIdDocument, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  })
  const run = data?.node?.__typename === 'CleanupRun' ? data.node : null
  useUnfinishedRuns(run ? [run] : [])
  return (
    <Sheet
      label="Cleanup run"
      isLoaded={Boolean(data)}
      failure={error ? wordError(error) : null}
      onRetry={() => void refetch().catch(() => undefined)}
      onClose={onClose}
    >
      {run ? (
        <RunFacts run={run} />
      ) : (
        <NoSuchRow words="There is no such run. Old runs are not kept forever.">
          <Button onPress={onClose}>Back to the runs</Button>
        </NoSuchRow>
      )}
    </Sheet>
  )
}

function RunFacts({ run }: { run: CleanupRowFragment }) {
  return (
    <>
      <h2>{nameOfKind(run.kind)}</h2>
      <p role="status" className={isAlarming(run) ? 'run-alarming' : undefined}>
        <RunBadges run={run} /> {isUnfinished(run) || run.state === 'DONE' ? summaryOf(run) : null}
      </p>
      {run.message && <p className="run-message">{run.message}</p>}
      <dl className="facts">
        <Fact label="Asked for">
          {exactTime(run.createdAt)} by <UserText wrap>{run.requestedBy.name}</UserText>
        </Fact>
        <Fact label="Began">{run.startedAt ? exactTime(run.startedAt) : 'not yet'}</Fact>
        <Fact label="Ended">{run.finishedAt ? exactTime(run.finishedAt) : 'not yet'}</Fact>
        {run.before && <Fact label="Only before">{exactTime(run.before)}</Fact>}
        {run.exceedsBrake && <Fact label="Brake">may be exceeded</Fact>}
        <Fact label="Looked at">{formatCount(run.examined)}</Fact>
        {/* A verification deletes nothing. */}
        {run.kind !== 'VERIFY' && (
          <Fact label={capitalised(verbOf(run))}>
            {formatCount(run.deleted)} {run.deletedBytes > 0 && <>({formatBytes(run.deletedBytes)})</>}
          </Fact>
        )}
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
    </>
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

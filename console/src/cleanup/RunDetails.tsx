import { skipToken, useQuery } from '@apollo/client/react'
import {
  type CleanupRowFragment,
  CleanupRunsNowDocument,
  CleanupItemsDocument,
  CleanupRunByIdDocument,
} from '../apollo/operations.ts'
import { wordError } from '../apollo/wordRefusal.ts'
import { Button } from '../ui/Button.tsx'
import { Fact, NoSuchRow, Sheet } from '../ui/Sheet.tsx'
import { useNow } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { exactTime } from '../ui/formatTime.ts'
import { RunBadges } from './CleanupRow.tsx'
import {
  isUnfinished,
  nameOfOutcome,
  nameOfFinding,
  nameOfGate,
  nameOfKind,
  verbOf,
  isAlarming,
  summaryOf,
} from './cleanupWords.ts'

/** More than this are never under way where somebody looks; the API bounds what is asked for at once. */
const watchedRuns = 20

const whileFreshMs = 1_500
/** For a run that takes long, or whose process died. */
const afterwardsMs = 10_000
const freshForMs = 120_000

/** Asks how the runs that have not ended stand, until they have; not while nobody looks. The list is read from the cache. */
export function useUnfinishedRuns(runs: readonly CleanupRowFragment[]): void {
  const now = useNow()
  const unfinished = runs.filter(isUnfinished).slice(0, watchedRuns)
  const isFresh = unfinished.some(({ createdAt }) => now - Date.parse(createdAt) < freshForMs)
  const options = {
    variables: { ids: unfinished.map(({ id }) => id) },
    fetchPolicy: 'network-only',
    pollInterval: isFresh ? whileFreshMs : afterwardsMs,
    skipPollAttempt: () => document.hidden,
  } as const
  useQuery(CleanupRunsNowDocument, unfinished.length === 0 ? skipToken : options)
}

/** As many as the API keeps of a run. */
const keptItems = 100

/** What a run dealt with, thing by thing. It is known when the run has ended. */
function RunItems({ run }: { run: CleanupRowFragment }) {
  const { data, error } = useQuery(CleanupItemsDocument, isUnfinished(run) ? skipToken : { variables: { id: run.id } })
  if (error) return <Fact label="Things">{wordError(error)}</Fact>
  if (!data?.node || !('items' in data.node) || data.node.items.length === 0) return null
  const { items } = data.node
  return (
    <Fact label="Things">
      <ol className="run-items" aria-label="Things that it dealt with">
        {items.map(({ what, key, byteSize }, at) => (
          <li key={at}>
            <code className="mono">{key}</code>
            <span className="soft">
              {nameOfOutcome(what, run)}
              {byteSize !== null && ` · ${formatBytes(byteSize)}`}
            </span>
          </li>
        ))}
      </ol>
      {items.length === keptItems && <p className="soft">Only the first {keptItems} are on record.</p>}
    </Fact>
  )
}

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

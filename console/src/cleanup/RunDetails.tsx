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

/** The API limits the ids of a query. More runs than this are never active at once. */
const watchedRuns = 20

const whileFreshMs = 1_500
/** For runs that take long, and runs whose process died. */
const afterwardsMs = 10_000
const freshForMs = 120_000

/** Polls the runs that have not ended while the page is visible. The list shows the result from the cache. */
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

/** The number of items that the API keeps of a run. */
const keptItems = 100

/** The items of a run. They exist once the run has ended. */
function RunItems({ run }: { run: CleanupRowFragment }) {
  const { data, error } = useQuery(CleanupItemsDocument, isUnfinished(run) ? skipToken : { variables: { id: run.id } })
  if (error) return <Fact label="Items">{wordError(error)}</Fact>
  if (!data?.node || !('items' in data.node) || data.node.items.length === 0) return null
  const { items } = data.node
  return (
    <Fact label="Items">
      <ol className="run-items" aria-label="Items of the run">
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
      {items.length === keptItems && <p className="soft">Only the first {keptItems} are recorded.</p>}
    </Fact>
  )
}

/** All fields of a run. Its id is in the address, so that links to it work. */
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
        <NoSuchRow words="This run does not exist. Old runs are deleted.">
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
        <Fact label="Requested">
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

import '../files/files.css'
import '../audit/audit.css'
import './cleanup.css'
import { useQuery } from '@apollo/client/react'
import { BrushCleaning, Play } from 'lucide-react'
import { useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { type CleanupKind, CleanupPageDocument, type CleanupRowFragment } from '../apollo/operations.ts'
import { useMorePages } from '../apollo/useMorePages.ts'
import { paths, readCleanupState } from '../paths.ts'
import { PageError } from '../shell/PageError.tsx'
import { useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { ListFooter } from '../ui/ListFooter.tsx'
import { Notice } from '../ui/Notice.tsx'
import { SkeletonRows } from '../ui/SkeletonRows.tsx'
import { CleanupRow } from './CleanupRow.tsx'
import { cleanupKinds, nameOfKind, stateNames } from './cleanupWords.ts'
import { RunDialog } from './RunDialog.tsx'
import { useUnfinishedRuns } from './useUnfinishedRuns.ts'

export function CleanupPage() {
  const tenant = useTenant()
  const navigate = useNavigate()
  const [query] = useSearchParams()
  const kind = knownKind(readCleanupState(query).kind)
  const [isAsking, setAsking] = useState(false)
  const [askedId, setAskedId] = useState<string | null>(null)
  const { data, error, refetch, fetchMore } = useQuery(CleanupPageDocument, {
    variables: { filter: kind ? { kind } : {} },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  })
  const more = useMorePages(data?.cleanupRuns.pageInfo.endCursor, (after) => fetchMore({ variables: { after } }))
  const runs = data?.cleanupRuns.edges.map(({ node }) => node) ?? []
  useUnfinishedRuns(runs)
  const asked = runs.find(({ id }) => id === askedId)
  const go = (next: string) => void navigate(paths.cleanup(tenant, { kind: next }))

  function onAsked(run: CleanupRowFragment) {
    setAsking(false)
    setAskedId(run.id)
    if (kind && kind !== run.kind) go(run.kind)
  }

  return (
    <>
      <title>Cleanup · Filegraph</title>
      <div className="page-head">
        <h1>Cleanup</h1>
        {data && (
          <Button look="primary" onPress={() => setAsking(true)}>
            <Play size={16} aria-hidden /> Run now …
          </Button>
        )}
      </div>
      <div className="page-tools" role="group" aria-label="Filters">
        <select
          className="select"
          aria-label="Kind of run"
          value={kind ?? ''}
          onChange={({ target }) => go(target.value)}
        >
          <option value="">All kinds</option>
          {Object.entries(cleanupKinds).map(([id, { name }]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <p role="status" className="visually-hidden">
        {asked && `${nameOfKind(asked.kind)}: ${stateNames[asked.state]}`}
      </p>
      {!data && !error && <SkeletonRows />}
      {!data && error && <PageError error={error} onRetry={() => void refetch().catch(() => undefined)} />}
      {data && runs.length === 0 && (
        <Notice icon={BrushCleaning} title={kind ? 'No run of this kind' : 'Nothing was cleaned up yet'}>
          <p>Filegraph cleans up by itself. Runs that had nothing to do are not recorded.</p>
        </Notice>
      )}
      {data && runs.length > 0 && (
        <div className="entries">
          <ol aria-label="Cleanup runs">
            {runs.map((run) => (
              <li key={run.id}>
                <CleanupRow key={String(run.id === askedId)} run={run} isOpenAtFirst={run.id === askedId} />
              </li>
            ))}
          </ol>
          <ListFooter
            {...more}
            hasMore={data.cleanupRuns.pageInfo.hasNextPage}
            end="These are all. Runs that had nothing to do are not recorded."
          />
        </div>
      )}
      {isAsking && <RunDialog kind={kind ?? 'PURGE_FILES'} onAsked={onAsked} onClose={() => setAsking(false)} />}
    </>
  )
}

const knownKind = (kind: string | undefined): CleanupKind | undefined =>
  kind !== undefined && Object.hasOwn(cleanupKinds, kind) ? (kind as CleanupKind) : undefined

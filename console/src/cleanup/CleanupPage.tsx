import { BrushCleaning, Play } from 'lucide-react'
import { useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import {
  type CleanupKind,
  CleanupPageDocument,
  type CleanupPageQuery,
  type CleanupRowFragment,
  CleanupRowFragmentDoc,
  type CleanupRunFilter,
  MoreCleanupDocument,
  type MoreCleanupQuery,
} from '../apollo/operations.ts'
import { PagedTable } from '../lists/PagedTable.tsx'
import { useList } from '../lists/useList.ts'
import { type CleanupState, paths, readCleanupState } from '../paths.ts'
import { useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'
import { useStable } from '../ui/useStable.ts'
import { CleanupRow } from './CleanupRow.tsx'
import { RunDetails, useUnfinishedRuns } from './RunDetails.tsx'
import { RunDialog } from './RunDialog.tsx'
import { cleanupKinds } from './cleanupWords.ts'
import '../audit/audit.css'
import '../files/files.css'
import './cleanup.css'

export function CleanupPage() {
  const tenant = useTenant()
  const navigate = useNavigate()
  const [query] = useSearchParams()
  const state = readCleanupState(query)
  const kind = knownKind(state.kind)
  const [isAsking, setAsking] = useState(false)
  const runs = useList(runsOf(kind ? { kind } : {}))
  useUnfinishedRuns(runs.data?.cleanupRuns?.edges.map(({ node }) => node) ?? [])
  const go = (next: CleanupState, replace = false) => void navigate(paths.cleanup(tenant, next), { replace })
  const choices = useStable({ onOpen: (run: string) => go({ kind, run }) })

  function onAsked(run: CleanupRowFragment) {
    setAsking(false)
    go({ kind: kind && run.kind, run: run.id })
  }

  return (
    <>
      <title>Cleanup · Filegraph</title>
      <div className="page-head">
        <h1>Cleanup</h1>
        {runs.data && (
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
          onChange={({ target }) => go({ kind: target.value }, true)}
        >
          <option value="">All kinds</option>
          {Object.entries(cleanupKinds).map(([id, { name }]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <PagedTable
        list={runs}
        label="Cleanup runs"
        className="runs"
        columns={['Run', 'When']}
        what={['run', 'runs']}
        empty={
          <Notice icon={BrushCleaning} title={kind ? 'No run of this kind' : 'Nothing was cleaned up yet'}>
            <p>Filegraph cleans up by itself. Runs that had nothing to do are not recorded.</p>
          </Notice>
        }
        end="End of the list. Runs that had nothing to do are not recorded."
        renderRow={(run) => <CleanupRow run={run} onOpen={choices.onOpen} />}
      />
      {state.run && <RunDetails key={state.run} id={state.run} onClose={() => go({ kind })} />}
      {isAsking && <RunDialog kind={kind ?? 'PURGE_FILES'} onAsked={onAsked} onClose={() => setAsking(false)} />}
    </>
  )
}

const runsOf = (filter: CleanupRunFilter) => ({
  first: CleanupPageDocument,
  query: MoreCleanupDocument,
  variables: { filter },
  field: 'cleanupRuns',
  pageOf: ({ cleanupRuns }: CleanupPageQuery | MoreCleanupQuery) => cleanupRuns,
  row: { fragment: CleanupRowFragmentDoc, name: 'CleanupRow' },
})

const knownKind = (kind: string | undefined): CleanupKind | undefined =>
  kind !== undefined && Object.hasOwn(cleanupKinds, kind) ? (kind as CleanupKind) : undefined

import { ScrollText } from 'lucide-react'
import { memo } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import {
  type AuditRowFragment,
  type AuditLogFilter,
  AuditPageDocument,
  type AuditPageQuery,
  MoreAuditDocument,
  type MoreAuditQuery,
} from '../apollo/operations.ts'
import { useList } from '../apollo/useList.ts'
import { type AuditState, paths, readAuditState } from '../paths.ts'
import { PageError } from '../shell/PageError.tsx'
import { useTenant } from '../shell/useShell.ts'
import { ListFooter, NewsPill, SkeletonRows } from '../ui/ListParts.tsx'
import { Notice } from '../ui/Notice.tsx'
import { Time } from '../ui/Time.tsx'
import { VirtualTable } from '../ui/VirtualTable.tsx'
import { startOfDay } from '../ui/formatTime.ts'
import { useStable } from '../ui/useStable.ts'
import { AuditDetails } from './AuditDetails.tsx'
import { AuditFilters } from './AuditFilters.tsx'
import { AuditSentence } from './AuditSentence.tsx'
import '../files/files.css'
import './audit.css'

interface AuditRowProps {
  readonly entry: AuditRowFragment
  readonly onOpen: (id: string) => void
}

/** The cells of an entry, which reads as a sentence. Everything else that is known stands in its details. */
export const AuditRow = memo(function AuditRow({ entry, onOpen }: AuditRowProps) {
  return (
    <>
      <div role="cell" className="entry-cell">
        <button type="button" className="entry-open" data-row-focus onClick={() => onOpen(entry.id)}>
          <span className="entry-sentence">
            <AuditSentence entry={entry} />
          </span>
        </button>
      </div>
      <div role="cell" className="cell-when">
        <Time at={entry.at} />
      </div>
    </>
  )
})

export function AuditPage() {
  const tenant = useTenant()
  const navigate = useNavigate()
  const [query] = useSearchParams()
  const state = readAuditState(query)
  const filter = filterOf(state)
  const log = useList(entriesOf(filter))
  const open = (next: AuditState) => void navigate(paths.audit(tenant, next))
  const choices = useStable({ onOpen: (id: string) => open({ ...state, entry: id }) })

  return (
    <>
      <title>Audit log · Filegraph</title>
      <div className="page-head">
        <h1>Audit log</h1>
        <p className="soft">Who did what to what, newest first.</p>
      </div>
      <AuditFilters state={state} onChange={(next) => void navigate(paths.audit(tenant, next), { replace: true })} />
      <NewsPill news={log.news} what={['entry', 'entries']} />
      {!log.data && !log.error && <SkeletonRows />}
      {!log.data && log.error && <PageError error={log.error} onRetry={log.retry} />}
      {log.data && log.rowCount === 0 && (
        <Notice icon={ScrollText} title="Nothing happened">
          <p>No entry matches these filters.</p>
        </Notice>
      )}
      {log.data && log.rowCount > 0 && (
        <VirtualTable
          key={JSON.stringify(filter)}
          label="Audit log"
          className="audit"
          columns={['What happened', 'When']}
          rowCount={log.rowCount}
          hasMore={log.hasMore}
          onView={log.onView}
          keyOf={(index) => log.rowAt(index)?.id}
          renderRow={(index) => {
            const entry = log.rowAt(index)
            return entry && <AuditRow entry={entry} onOpen={choices.onOpen} />
          }}
          footer={<ListFooter {...log} end="This is where it began." />}
        />
      )}
      {state.entry && (
        <AuditDetails
          id={state.entry}
          onFilter={(more) => open({ ...state, ...more, entry: undefined })}
          onClose={() => open({ ...state, entry: undefined })}
        />
      )}
    </>
  )
}

const entriesOf = (filter: AuditLogFilter) => ({
  first: AuditPageDocument,
  query: MoreAuditDocument,
  variables: { filter },
  field: 'auditLog',
  pageOf: ({ auditLog }: AuditPageQuery | MoreAuditQuery) => auditLog,
})

/** Days are meant as the reader's own, both included. */
function filterOf({ action, actor, subject, from, until }: AuditState): AuditLogFilter {
  const since = startOfDay(from)
  const before = startOfDay(until, 1)
  return {
    ...(action && { action }),
    ...(actor && { actorId: actor }),
    ...(subject && { subjectId: subject }),
    ...(since && { since }),
    ...(before && { until: before }),
  }
}

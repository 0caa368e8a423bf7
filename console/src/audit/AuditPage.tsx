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
import { PagedTable } from '../lists/PagedTable.tsx'
import { useList } from '../lists/useList.ts'
import { type AuditState, paths, readAuditState } from '../paths.ts'
import { useTenant } from '../shell/useShell.ts'
import { Notice } from '../ui/Notice.tsx'
import { Time } from '../ui/Time.tsx'
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

/** The cells of an entry, which reads as a sentence. The details show everything else. */
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
  const log = useList(entriesOf(filterOf(state)))
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
      <PagedTable
        list={log}
        label="Audit log"
        className="audit"
        columns={['What happened', 'When']}
        what={['entry', 'entries']}
        empty={
          <Notice icon={ScrollText} title="No entries">
            <p>No entry matches these filters.</p>
          </Notice>
        }
        end="This is the first entry."
        renderRow={(entry) => <AuditRow entry={entry} onOpen={choices.onOpen} />}
      />
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

/** The days are in the reader's time zone, and both are included. */
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

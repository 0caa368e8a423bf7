import '../files/files.css'
import './audit.css'
import { useApolloClient, useQuery } from '@apollo/client/react'
import { ScrollText } from 'lucide-react'
import { useNavigate, useSearchParams } from 'react-router'
import { type AuditLogFilter, AuditPageDocument } from '../apollo/operations.ts'
import { useMorePages } from '../apollo/useMorePages.ts'
import { useSeenPeople } from '../apollo/useSeenPeople.ts'
import { type AuditState, paths, readAuditState } from '../paths.ts'
import { PageError } from '../shell/PageError.tsx'
import { useTenant } from '../shell/useShell.ts'
import { startOfDay } from '../ui/formatTime.ts'
import { ListFooter } from '../ui/ListFooter.tsx'
import { Notice } from '../ui/Notice.tsx'
import { SkeletonRows } from '../ui/SkeletonRows.tsx'
import { AuditFilters } from './AuditFilters.tsx'
import { AuditRow } from './AuditRow.tsx'

export function AuditPage() {
  const tenant = useTenant()
  const navigate = useNavigate()
  const [query] = useSearchParams()
  const state = readAuditState(query)
  const { data, error, refetch, fetchMore } = useQuery(AuditPageDocument, {
    variables: { filter: filterOf(state) },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  })
  const more = useMorePages(data?.auditLog.pageInfo.endCursor, (after) => fetchMore({ variables: { after } }))
  const entries = data?.auditLog.edges.map(({ node }) => node) ?? []
  const actors = useSeenPeople(
    useApolloClient(),
    entries.map(({ actor }) => actor),
  )
  const go = (next: AuditState) => void navigate(paths.audit(tenant, next))

  return (
    <>
      <title>Audit log · Filegraph</title>
      <div className="page-head">
        <h1>Audit log</h1>
        <p className="soft">Who did what to what, newest first.</p>
      </div>
      <AuditFilters state={state} actors={actors} onChange={go} />
      {!data && !error && <SkeletonRows />}
      {!data && error && <PageError error={error} onRetry={() => void refetch().catch(() => undefined)} />}
      {data && entries.length === 0 && (
        <Notice icon={ScrollText} title="Nothing happened">
          <p>No entry matches these filters.</p>
        </Notice>
      )}
      {data && entries.length > 0 && (
        <div className="entries">
          <ol aria-label="Audit log">
            {entries.map((entry) => (
              <li key={entry.id}>
                <AuditRow entry={entry} onFilter={(filter) => go({ ...state, ...filter })} />
              </li>
            ))}
          </ol>
          <ListFooter {...more} hasMore={data.auditLog.pageInfo.hasNextPage} end="This is where it began." />
        </div>
      )}
    </>
  )
}

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

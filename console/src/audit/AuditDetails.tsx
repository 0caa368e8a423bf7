import { useQuery } from '@apollo/client/react'
import { AuditDetailsDocument, type AuditDetailsQuery } from '../apollo/operations.ts'
import { wordError } from '../apollo/wordRefusal.ts'
import type { AuditState } from '../paths.ts'
import { Button } from '../ui/Button.tsx'
import { NoSuchRow, Sheet, Fact } from '../ui/Sheet.tsx'
import { dayOfTime, exactTime } from '../ui/formatTime.ts'
import { AuditSentence } from './AuditSentence.tsx'

interface AuditDetailsProps {
  readonly id: string
  readonly onFilter: (filter: AuditState) => void
  readonly onClose: () => void
}

/** All fields of one entry. Its id is in the address, so that links to it work. */
export function AuditDetails({ id, onFilter, onClose }: AuditDetailsProps) {
  const { data, error, refetch } = useQuery(AuditDetailsDocument, { variables: { id } })
  const entry = data?.node?.__typename === 'AuditEntry' ? data.node : null
  return (
    <Sheet
      label="Audit entry"
      isLoaded={Boolean(data)}
      failure={error ? wordError(error) : null}
      onRetry={() => void refetch().catch(() => undefined)}
      onClose={onClose}
    >
      {entry ? (
        <Facts entry={entry} onFilter={onFilter} />
      ) : (
        <NoSuchRow words="There is no such entry in this workspace.">
          <Button onPress={onClose}>Back to the audit log</Button>
        </NoSuchRow>
      )}
    </Sheet>
  )
}

type Entry = Extract<NonNullable<AuditDetailsQuery['node']>, { readonly __typename: 'AuditEntry' }>

function Facts({ entry, onFilter }: { entry: Entry; onFilter: AuditDetailsProps['onFilter'] }) {
  const { actor, subject } = entry
  const day = dayOfTime(entry.at)
  return (
    <>
      <h2 className="entry-title">
        <AuditSentence entry={entry} />
      </h2>
      <dl className="facts">
        <Fact label="When">
          {exactTime(entry.at)}{' '}
          <button type="button" className="link" onClick={() => onFilter({ from: day, until: day })}>
            Only this day
          </button>
        </Fact>
        <Fact label="Who">
          <bdi>{actor.name}</bdi> {actor.email && <span className="soft">{actor.email}</span>}{' '}
          <button type="button" className="link" onClick={() => onFilter({ actor: actor.id })}>
            Only theirs
          </button>
        </Fact>
        <Fact label="About">
          {subject.type.replaceAll('_', ' ')} <bdi>{subject.name ?? ''}</bdi>{' '}
          <button type="button" className="link" onClick={() => onFilter({ subject: subject.id })}>
            Its whole history
          </button>
        </Fact>
        <Fact label="Action">
          <code className="mono">{entry.action}</code>
        </Fact>
        <Fact label="From">{entry.address ?? 'unknown'}</Fact>
        <Fact label="With">{entry.userAgent ?? 'unknown'}</Fact>
        <Fact label="Request">
          <code className="mono">{entry.requestId ?? 'none'}</code>
        </Fact>
        {Object.keys(entry.payload).length > 0 && (
          <Fact label="Details">
            <pre className="mono entry-payload" dir="auto">
              {JSON.stringify(entry.payload, null, 2)}
            </pre>
          </Fact>
        )}
      </dl>
    </>
  )
}

import { ChevronRight } from 'lucide-react'
import type { AuditRowFragment } from '../apollo/operations.ts'
import { Fact } from '../ui/Fact.tsx'
import { exactTime } from '../ui/formatTime.ts'
import { Time } from '../ui/Time.tsx'
import { sentenceOf } from './sentenceOf.ts'

interface AuditRowProps {
  readonly entry: AuditRowFragment
  readonly onFilter: (filter: { actor: string } | { subject: string }) => void
}

/** One line that reads as a sentence, and everything else that is known behind it. */
export function AuditRow({ entry, onFilter }: AuditRowProps) {
  const { actor, subject } = entry
  return (
    <details className="entry">
      <summary className="entry-line">
        <ChevronRight className="entry-arrow" size={16} aria-hidden />
        <span className="entry-sentence">
          {sentenceOf(entry).map((part, at) =>
            typeof part === 'string' ? part : <bdi key={at}>{at === 0 ? part.name : `“${part.name}”`}</bdi>,
          )}
        </span>
        <span className="entry-time soft">
          <Time at={entry.at} />
        </span>
      </summary>
      <dl className="facts">
        <Fact label="When">{exactTime(entry.at)}</Fact>
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
            <pre className="mono entry-payload">{JSON.stringify(entry.payload, null, 2)}</pre>
          </Fact>
        )}
      </dl>
    </details>
  )
}

import { memo } from 'react'
import type { AuditRowFragment } from '../apollo/operations.ts'
import { Time } from '../ui/Time.tsx'
import { AuditSentence } from './AuditSentence.tsx'

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

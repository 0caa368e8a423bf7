import type { AuditRowFragment } from '../apollo/operations.ts'
import { sentenceOf } from './sentenceOf.ts'

/** "Ada renamed “a.pdf” to “b.pdf”". Quotes stand outside of what people wrote, which may run the other way. */
export const AuditSentence = ({ entry }: { entry: AuditRowFragment }) =>
  sentenceOf(entry).map((part, at) => {
    if (typeof part === 'string') return part
    if (at === 0) return <bdi key={at}>{part.name}</bdi>
    return (
      <span key={at}>
        “<bdi>{part.name}</bdi>”
      </span>
    )
  })

import {
  type AttachmentRowFragment,
  type AttachmentPageFragment,
  MoreAttachmentsDocument,
  type MoreAttachmentsQuery,
} from '../apollo/operations.ts'
import { usePages } from '../lists/useList.ts'
import { Button } from '../ui/Button.tsx'
import { Time } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'
import { formatCount } from '../ui/formatBytes.ts'
import './attachments.css'

/** The rows of host applications that use a file, as those applications name them. */
export function AttachmentList({ attachments }: { attachments: readonly AttachmentRowFragment[] }) {
  return (
    <ul className="attachments" aria-label="Used by">
      {attachments.map(({ id, ownerType, ownerId, slot, attachedAt, attachedBy }) => (
        <li key={id} className="attachment">
          <span className="attachment-owner">
            <UserText wrap>{ownerType}</UserText> <UserText wrap>{ownerId}</UserText>
          </span>
          <span className="soft">
            {slot !== 'default' && (
              <>
                as <UserText wrap>{slot}</UserText> ·{' '}
              </>
            )}
            <Time at={attachedAt} /> by <UserText wrap>{attachedBy.name}</UserText>
          </span>
        </li>
      ))}
    </ul>
  )
}

interface UsedByProps {
  readonly file: { readonly id: string; readonly attachmentCount: number; readonly attachments: AttachmentPageFragment }
}

/** The section with everything that uses a file, oldest first, page by page. */
export function UsedBy({ file: { id, attachmentCount, attachments } }: UsedByProps) {
  const { rowCount, rowAt, hasMore, isLoading, failure, onMore } = usePages(attachments, attachmentsOf(id))
  const rows = Array.from({ length: rowCount }, (_, index) => rowAt(index)).filter((row) => row !== undefined)
  return (
    <section className="used-by" aria-label="Used by">
      <h2>Used by {attachmentCount > 0 && <span className="soft">{formatCount(attachmentCount)}</span>}</h2>
      {rowCount === 0 ? <p className="soft">Nothing uses it.</p> : <AttachmentList attachments={rows} />}
      {failure && <p role="alert">{failure}</p>}
      {hasMore && (
        <Button onPress={onMore} isPending={isLoading}>
          {isLoading ? 'Loading …' : 'Show more'}
        </Button>
      )}
    </section>
  )
}

const attachmentsOf = (id: string) => ({
  query: MoreAttachmentsDocument,
  variables: { id },
  field: 'attachments',
  parent: { __typename: 'File', id },
  pageOf: ({ file }: MoreAttachmentsQuery) => file?.attachments ?? null,
})

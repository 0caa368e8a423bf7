import { useApolloClient } from '@apollo/client/react'
import { useCallback, useRef, useState } from 'react'
import {
  type AttachmentRowFragment,
  type AttachmentPageFragment,
  MoreAttachmentsDocument,
} from '../apollo/operations.ts'
import { wordError } from '../apollo/wordRefusal.ts'
import { Button } from '../ui/Button.tsx'
import { Time } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'
import { formatCount } from '../ui/formatBytes.ts'
import './attachments.css'

/**
 * Asks for the page after `endCursor`, one at a time. After a failure only a person asks again: the end of the list
 * stays in sight and would otherwise ask forever.
 */
function useMorePages(endCursor: string | null | undefined, fetchAfter: (cursor: string) => Promise<unknown>) {
  const busy = useRef(false)
  const latest = useRef(fetchAfter)
  latest.current = fetchAfter
  const [isLoading, setLoading] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)

  const more = useCallback(async () => {
    if (busy.current || !endCursor) return
    busy.current = true
    setLoading(true)
    setFailure(null)
    await latest.current(endCursor).catch((error: unknown) => setFailure(wordError(error)))
    busy.current = false
    setLoading(false)
  }, [endCursor])

  const onMore = useCallback(() => void more(), [more])
  const onNearEnd = useCallback(() => {
    if (failure === null) void more()
  }, [more, failure])
  return { isLoading, failure, onMore, onNearEnd }
}

/** Which rows of host applications use a file, in the words of those applications. */
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

/** Who uses a file, oldest first, page by page. */
export function UsedBy({ file: { id, attachmentCount, attachments } }: UsedByProps) {
  const client = useApolloClient()
  const { endCursor, hasNextPage } = attachments.pageInfo
  // The cache joins the pages, and the details are read from it.
  const more = useMorePages(endCursor, (after) =>
    client.query({ query: MoreAttachmentsDocument, variables: { id, after }, fetchPolicy: 'network-only' }),
  )
  return (
    <section className="used-by" aria-label="Used by">
      <h2>Used by {attachmentCount > 0 && <span className="soft">{formatCount(attachmentCount)}</span>}</h2>
      {attachments.edges.length === 0 ? (
        <p className="soft">Nothing uses it.</p>
      ) : (
        <AttachmentList attachments={attachments.edges.map(({ node }) => node)} />
      )}
      {more.failure && <p role="alert">{more.failure}</p>}
      {hasNextPage && (
        <Button onPress={more.onMore} isPending={more.isLoading}>
          {more.isLoading ? 'Loading …' : 'Show more'}
        </Button>
      )}
    </section>
  )
}

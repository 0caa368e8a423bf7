import { useApolloClient } from '@apollo/client/react'
import { type AttachmentPageFragment, MoreAttachmentsDocument } from '../apollo/operations.ts'
import { useMorePages } from '../apollo/useMorePages.ts'
import { Button } from '../ui/Button.tsx'
import { formatCount } from '../ui/formatBytes.ts'
import { AttachmentList } from './AttachmentList.tsx'

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

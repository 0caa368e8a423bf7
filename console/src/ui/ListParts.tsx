import { ArrowUp } from 'lucide-react'
import { Button } from './Button.tsx'
import { formatCount } from './formatBytes.ts'

interface ListFooterProps {
  readonly hasMore: boolean
  readonly isLoading: boolean
  /** Why the next rows could not be loaded, in words. */
  readonly failure: string | null
  readonly onMore: () => void
  readonly end: string
}

/** Scrolling loads more by itself; the button is for everybody who does not scroll, and for the second try. */
export function ListFooter({ hasMore, isLoading, failure, onMore, end }: ListFooterProps) {
  return (
    <div className="table-foot">
      {failure && <p role="alert">{failure}</p>}
      {hasMore ? (
        <Button onPress={onMore} isPending={isLoading}>
          {isLoading ? 'Loading …' : 'Load more'}
        </Button>
      ) : (
        <p>{end}</p>
      )}
    </div>
  )
}

interface Offer {
  readonly added: number
  readonly isAtLeast: boolean
  readonly show: () => void
}

/** Offers rows that have come since the list was loaded. They would move what somebody reads, so they wait for a press. */
export function NewsPill({ news, what }: { news: Offer | null; what: readonly [one: string, many: string] }) {
  return (
    <div className="news" role="status">
      {news && (
        <Button look="primary" onPress={news.show}>
          <ArrowUp size={16} aria-hidden /> {wordNews(news, what)}
        </Button>
      )}
    </div>
  )
}

function wordNews({ added, isAtLeast }: Offer, [one, many]: readonly [string, string]): string {
  if (added === 0) return 'Show changes'
  return `${isAtLeast ? 'At least ' : ''}${formatCount(added)} new ${added === 1 ? one : many}`
}

/** The shape of what is coming, while it comes. */
export function SkeletonRows() {
  return (
    <div className="table" role="status" aria-label="Loading">
      <div className="table-body">
        {Array.from({ length: 7 }, (_, at) => (
          <div
            key={at}
            className="table-row skeleton-row"
            style={{ transform: `translateY(calc(var(--row) * ${at}))` }}
          >
            <span className="skeleton" style={{ width: `${[62, 44, 71, 53, 38, 66, 49][at] ?? 50}%` }} />
          </div>
        ))}
      </div>
    </div>
  )
}

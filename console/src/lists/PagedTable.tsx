import { ArrowUp } from 'lucide-react'
import type { ReactNode } from 'react'
import { PageError } from '../shell/PageError.tsx'
import { Button } from '../ui/Button.tsx'
import { SkeletonRows, VirtualTable } from '../ui/VirtualTable.tsx'
import { formatCount } from '../ui/formatBytes.ts'
import type { Offer } from './news.ts'
import type { List, PagedRows } from './useList.ts'

interface PagedTableProps<Row> {
  readonly list: List<unknown, Row>
  readonly label: string
  readonly className: string
  readonly columns: readonly string[]
  /** What a row is called. */
  readonly what: readonly [one: string, many: string]
  /** Shown instead of an empty list. */
  readonly empty: ReactNode
  /** Shown below the last row. */
  readonly end: string
  readonly renderRow: (row: Row) => ReactNode
  /** Default: `onView` of the list. */
  readonly onView?: (first: number, last: number) => void
}

/** The rows of a page, or what is shown instead: loading, a failure, or an empty list. */
export function PagedTable<Row extends { readonly id: string }>(props: PagedTableProps<Row>) {
  const { list, label, className, columns, what, empty, end, renderRow, onView = list.onView } = props
  if (!list.data) return list.error ? <PageError error={list.error} onRetry={list.retry} /> : <SkeletonRows />
  return (
    <>
      <NewsPill news={list.news} what={what} />
      {list.rowCount === 0 ? (
        empty
      ) : (
        <VirtualTable
          key={list.key}
          label={label}
          className={className}
          columns={columns}
          rowCount={list.rowCount}
          hasMore={list.hasMore}
          onView={onView}
          rowAt={list.rowAt}
          renderRow={renderRow}
          footer={<ListFooter list={list} end={end} />}
        />
      )}
    </>
  )
}

/** Scrolling loads more rows. The button is for people who do not scroll, and for another attempt after a failure. */
function ListFooter({ list: { hasMore, ...list }, end }: { list: PagedRows<unknown>; end: string }) {
  return (
    <div className="table-foot">
      {list.failure && <p role="alert">{list.failure}</p>}
      {hasMore ? (
        <Button onPress={list.onMore} isPending={list.isLoading}>
          {list.isLoading ? 'Loading …' : 'Load more'}
        </Button>
      ) : (
        <p>{end}</p>
      )}
    </div>
  )
}

/** Offers new rows. They would move the rows that somebody reads, so they wait until the button is pressed. */
function NewsPill({ news, what }: { news: Offer | null; what: readonly [one: string, many: string] }) {
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

import './table.css'
import { type FocusEvent, type KeyboardEvent, type ReactNode, type RefObject, useEffect, useRef } from 'react'
import { rowHeightPx, useVisibleRows } from './useVisibleRows.ts'

interface VirtualTableProps {
  readonly label: string
  /** A class that sets `--columns`, the widths of the grid. */
  readonly className: string
  /** Their headings; the last one, of the buttons, is for screen readers alone. */
  readonly columns: readonly string[]
  readonly rowCount: number
  /** Whether more rows exist than `rowCount`. */
  readonly hasMore: boolean
  /** Told which rows are in the document, the last one not included: whoever has them not yet may fetch them. */
  readonly onView: (first: number, last: number) => void
  /** Null for a row that has not come yet: its shape is shown instead. */
  readonly renderRow: (index: number) => ReactNode
  readonly keyOf: (index: number) => string | undefined
  /** Stands below the last row. */
  readonly footer?: ReactNode
}

/**
 * A table of rows of one height that keeps only those in the document that can be seen, so that 100 and 100,000 rows
 * cost the same. Screen readers are told the place of each row; arrow keys lead from row to row.
 */
export function VirtualTable(props: VirtualTableProps) {
  const { label, className, columns, rowCount, hasMore, onView, renderRow, keyOf, footer } = props
  const scroller = useRef<HTMLDivElement>(null)
  const { first, last } = useVisibleRows(scroller, rowCount)
  useEffect(() => onView(first, last), [first, last, onView])

  const onFocus = useFocusAfterRemoval(scroller, rowCount)

  const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at)
  return (
    <div className={`table ${className}`} ref={scroller} onKeyDown={moveByArrow} onFocus={onFocus}>
      <div role="table" aria-label={label} aria-rowcount={hasMore ? -1 : rowCount + 1}>
        <div role="rowgroup" className="table-head">
          <div role="row" className="table-row" aria-rowindex={1}>
            {columns.map((column, at) => (
              <div role="columnheader" key={column} className={`cell-${at}`}>
                <span className={at === columns.length - 1 ? 'visually-hidden' : undefined}>{column}</span>
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="table-body" style={{ height: rowCount * rowHeightPx }}>
          {rows.map((index) => (
            <div
              role="row"
              key={keyOf(index) ?? index}
              className="table-row"
              aria-rowindex={index + 2}
              style={{ transform: `translateY(${index * rowHeightPx}px)` }}
            >
              {renderRow(index) ?? <MissingRow />}
            </div>
          ))}
        </div>
      </div>
      {footer}
    </div>
  )
}

const MissingRow = () => (
  <div role="cell" aria-label="Loading">
    <span className="skeleton missing-row" />
  </div>
)

/** Where the row with the focus is taken away, the focus goes to the row in its place, and not back to the top of the page. */
function useFocusAfterRemoval(scroller: RefObject<HTMLDivElement | null>, rowCount: number) {
  const focused = useRef<Element | null>(null)
  const place = useRef(0)
  useEffect(() => {
    const isLost = document.activeElement === document.body
    if (!isLost || focused.current === null || focused.current.isConnected || rowCount === 0) return
    focusRow(scroller.current, Math.min(place.current, rowCount + 1))
  }, [scroller, rowCount])
  return ({ target }: FocusEvent<HTMLElement>) => {
    const row = target.closest('[aria-rowindex]')
    focused.current = row && target
    place.current = rowIndexOf(target)
  }
}

const rowIndexOf = (element: Element) => Number(element.closest('[aria-rowindex]')?.getAttribute('aria-rowindex'))

function focusRow(table: HTMLElement | null, rowIndex: number): boolean {
  const target = table?.querySelector<HTMLElement>(`[aria-rowindex="${rowIndex}"] [data-row-focus]`)
  target?.focus()
  target?.scrollIntoView({ block: 'nearest' })
  return Boolean(target)
}

/** Up and down go to the name in the row before or after; rows that are not there yet are scrolled to. */
function moveByArrow(event: KeyboardEvent<HTMLElement>) {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  const from = event.target as HTMLElement
  if (step === 0 || !from.matches('[data-row-focus]')) return
  if (focusRow(event.currentTarget, rowIndexOf(from) + step)) event.preventDefault()
}

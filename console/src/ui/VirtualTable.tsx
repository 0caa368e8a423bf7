import './table.css'
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react'
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
  readonly onNearEnd: () => void
  readonly renderRow: (index: number) => ReactNode
  readonly keyOf: (index: number) => string
  /** Stands below the last row. */
  readonly footer?: ReactNode
}

/** How close to the last loaded row the next page is asked for. */
const nearRows = 15

/**
 * A table of rows of one height that keeps only those in the document that can be seen, so that 100 and 100,000 rows
 * cost the same. Screen readers are told the place of each row; arrow keys lead from row to row.
 */
export function VirtualTable(props: VirtualTableProps) {
  const { label, className, columns, rowCount, hasMore, onNearEnd, renderRow, keyOf, footer } = props
  const scroller = useRef<HTMLDivElement>(null)
  const { first, last } = useVisibleRows(scroller, rowCount)
  const isNearEnd = hasMore && last >= rowCount - nearRows
  useEffect(() => {
    if (isNearEnd) onNearEnd()
  }, [isNearEnd, rowCount, onNearEnd])

  const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at)
  return (
    <div className={`table ${className}`} ref={scroller} onKeyDown={moveByArrow}>
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
              key={keyOf(index)}
              className="table-row"
              aria-rowindex={index + 2}
              style={{ transform: `translateY(${index * rowHeightPx}px)` }}
            >
              {renderRow(index)}
            </div>
          ))}
        </div>
      </div>
      {footer}
    </div>
  )
}

/** Up and down go to the name in the row before or after; rows that are not there yet are scrolled to. */
function moveByArrow(event: KeyboardEvent<HTMLElement>) {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  const from = event.target as HTMLElement
  if (step === 0 || !from.matches('[data-row-focus]')) return
  const index = Number(from.closest('[aria-rowindex]')?.getAttribute('aria-rowindex'))
  const next = event.currentTarget.querySelector<HTMLElement>(`[aria-rowindex="${index + step}"] [data-row-focus]`)
  if (!next) return
  event.preventDefault()
  next.focus()
  next.scrollIntoView({ block: 'nearest' })
}

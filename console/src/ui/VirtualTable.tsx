import './table.css'
import {
  type FocusEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
} from 'react'
import { rowHeightOf, useVisibleRows } from './useVisibleRows.ts'

interface VirtualTableProps {
  readonly label: string
  /** A class that sets `--columns`, the widths of the grid, and may set `--row`, the height of a row. */
  readonly className: string
  /** Their headings. */
  readonly columns: readonly string[]
  readonly rowCount: number
  /** Whether more rows exist than `rowCount`. */
  readonly hasMore: boolean
  /** Told which rows are in the document, the last one not included, so that missing ones can be fetched. */
  readonly onView: (first: number, last: number) => void
  /** Null for a row that has not come yet: its shape is shown instead. */
  readonly renderRow: (index: number) => ReactNode
  readonly keyOf: (index: number) => string | undefined
  /** Stands below the last row. */
  readonly footer?: ReactNode
}

/**
 * A table of rows of one height that keeps only those in the document that can be seen, so that 100 and 100,000 rows
 * cost the same. Screen readers are told the place of each row; arrow keys lead from row to row. Rows that come or go above
 * the view do not move it.
 */
export function VirtualTable(props: VirtualTableProps) {
  const { label, className, columns, rowCount, hasMore, onView, renderRow, keyOf, footer } = props
  const table = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const { first, last } = useVisibleRows(body, rowCount)
  useEffect(() => onView(first, last), [first, last, onView])

  useSteadyView(table, body, keyOf)
  const onFocus = useFocusAfterRemoval(table, rowCount)

  const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at)
  return (
    <div className={`table ${className}`} ref={table} onKeyDown={moveByArrow} onFocus={onFocus}>
      <div role="table" aria-label={label} aria-rowcount={hasMore ? -1 : rowCount + 1}>
        <div role="rowgroup" className="table-head">
          <div role="row" className="table-row" aria-rowindex={1}>
            {columns.map((column, at) => (
              <div role="columnheader" key={column} className={`cell-${at}`}>
                <span className={column === 'Actions' ? 'visually-hidden' : undefined}>{column}</span>
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="table-body" ref={body} style={{ height: `calc(var(--row) * ${rowCount})` }}>
          {rows.map((index) => (
            <div
              role="row"
              key={keyOf(index) ?? index}
              className="table-row"
              aria-rowindex={index + 2}
              style={{ transform: `translateY(calc(var(--row) * ${index}))` }}
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

/** The list scrolls by itself, or the whole page does if the window is low. */
const scrollerOf = (table: HTMLElement): Element | null =>
  getComputedStyle(table).overflowY === 'visible' ? document.scrollingElement : table

/** Shows the beginning of the list on the page. */
export function scrollToTop(): void {
  for (const table of document.querySelectorAll<HTMLElement>('.table')) scrollerOf(table)?.scrollTo(0, 0)
}

/** True if no list on the page has been scrolled, pointed at or entered, and nothing is open above it: rows may then move. */
export function isUntouched(): boolean {
  if (document.querySelector('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]')) return false
  return Array.from(document.querySelectorAll<HTMLElement>('.table')).every(
    (table) =>
      (scrollerOf(table)?.scrollTop ?? 0) <= 1 && !table.contains(document.activeElement) && !table.matches(':hover'),
  )
}

/** Further away than this nobody looks for the row that was at the top of the view. */
const steadyWithinRows = 300

/**
 * Keeps the rows in view where they are on the screen when others come or go above them. At the very top there is nothing to
 * keep: what is new is shown there.
 */
function useSteadyView(
  table: RefObject<HTMLDivElement | null>,
  body: RefObject<HTMLDivElement | null>,
  keyOf: VirtualTableProps['keyOf'],
) {
  const anchor = useRef<{ readonly key: string | undefined; readonly index: number } | null>(null)
  useLayoutEffect(() => {
    const scroller = table.current && scrollerOf(table.current)
    if (!scroller || !body.current) return
    const rowPx = rowHeightOf(body.current)
    const top = scroller === table.current ? scroller.getBoundingClientRect().top : 0
    const scrolledPx = top - body.current.getBoundingClientRect().top
    const known = anchor.current
    const moved = known?.key === undefined ? 0 : placeOf(known.key, known.index, keyOf) - known.index
    if (moved !== 0 && scrolledPx > 1) scroller.scrollBy(0, moved * rowPx)
    const index = Math.max(0, Math.floor(scrolledPx / rowPx) + (scrolledPx > 1 ? moved : 0))
    anchor.current = { key: keyOf(index), index }
  })
}

/** Where the row is now; `index` if it is not near where it was. */
function placeOf(key: string, index: number, keyOf: VirtualTableProps['keyOf']): number {
  for (let away = 0; away <= steadyWithinRows; away += 1) {
    if (keyOf(index + away) === key) return index + away
    if (index >= away && keyOf(index - away) === key) return index - away
  }
  return index
}

/** Where the row with the focus is taken away, the focus goes to the row in its place, and not back to the top of the page. */
function useFocusAfterRemoval(table: RefObject<HTMLDivElement | null>, rowCount: number) {
  const focused = useRef<Element | null>(null)
  const place = useRef(0)
  useEffect(() => {
    const isLost = document.activeElement === document.body
    if (!isLost || focused.current === null || focused.current.isConnected || rowCount === 0) return
    focusRow(table.current, Math.min(place.current, rowCount + 1))
  }, [table, rowCount])
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

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

interface VirtualTableProps<Row> {
  readonly label: string
  /** A class that sets `--columns`, the widths of the grid, and may set `--row`, the height of a row. */
  readonly className: string
  /** The headings of the columns. */
  readonly columns: readonly string[]
  readonly rowCount: number
  /** Whether more rows exist than `rowCount`. */
  readonly hasMore: boolean
  /** Called with the rows in the document, `last` not included, so that missing rows can be loaded. */
  readonly onView: (first: number, last: number) => void
  /** Undefined if the row is not in memory. A placeholder is shown instead. */
  readonly rowAt: RowAt<Row>
  /** The cells of a row. */
  readonly renderRow: (row: Row) => ReactNode
  /** Shown below the last row. */
  readonly footer?: ReactNode
}

type RowAt<Row = Identified> = (index: number) => Row | undefined

interface Identified {
  readonly id: string
}

/**
 * A table of rows of equal height. Only rows near the view are in the document, so that 100 and 100,000 rows cost the same
 * (decision 39 says why this is not the Virtualizer of the component library). Screen readers get the index of each row, and
 * arrow keys move from row to row. Rows that are added or removed above the view do not move it.
 */
export function VirtualTable<Row extends Identified>(props: VirtualTableProps<Row>) {
  const { label, className, columns, rowCount, hasMore, onView, rowAt, renderRow, footer } = props
  const table = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const { first, last } = useVisibleRows(body, rowCount)
  useEffect(() => onView(first, last), [first, last, onView])

  useSteadyView(table, body, rowAt)
  const onFocus = useFocusAfterRemoval(table, rowCount)

  const indices = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at)
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
          {indices.map((index) => {
            const row = rowAt(index)
            return (
              <div
                role="row"
                key={row?.id ?? index}
                className="table-row"
                aria-rowindex={index + 2}
                style={{ transform: `translateY(calc(var(--row) * ${index}))` }}
              >
                {row ? renderRow(row) : <MissingRow />}
              </div>
            )
          })}
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

/** Placeholders of rows that are loading. */
export function SkeletonRows() {
  return (
    <div className="table" role="status" aria-label="Loading">
      <div className="table-body">
        {[62, 44, 71, 53, 38, 66, 49].map((percent, at) => (
          <div
            key={percent}
            className="table-row skeleton-row"
            style={{ transform: `translateY(calc(var(--row) * ${at}))` }}
          >
            <span className="skeleton" style={{ width: `${percent}%` }} />
          </div>
        ))}
      </div>
    </div>
  )
}

/** The table scrolls, or the whole page if the window is low. */
const scrollerOf = (table: HTMLElement): Element | null =>
  getComputedStyle(table).overflowY === 'visible' ? document.scrollingElement : table

/** Scrolls the list on the page to its beginning. */
export function scrollToTop(): void {
  for (const table of document.querySelectorAll<HTMLElement>('.table')) scrollerOf(table)?.scrollTo(0, 0)
}

/** True if nobody uses a list on the page: none is scrolled, hovered or focused, and no dialog or menu is open. Rows may move then. */
export function isUntouched(): boolean {
  if (document.querySelector('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]')) return false
  return Array.from(document.querySelectorAll<HTMLElement>('.table')).every(
    (table) =>
      (scrollerOf(table)?.scrollTop ?? 0) <= 1 && !table.contains(document.activeElement) && !table.matches(':hover'),
  )
}

/** How far from its last index the row at the top of the view is searched for. */
const steadyWithinRows = 300

/**
 * Keeps the rows in view at their place on the screen when rows above them are added or removed. At the very top, new rows
 * move the others down.
 */
function useSteadyView(table: RefObject<HTMLDivElement | null>, body: RefObject<HTMLDivElement | null>, rowAt: RowAt) {
  const anchor = useRef<{ readonly id: string | undefined; readonly index: number } | null>(null)
  useLayoutEffect(() => {
    const scroller = table.current && scrollerOf(table.current)
    if (!scroller || !body.current) return
    const rowPx = rowHeightOf(body.current)
    const top = scroller === table.current ? scroller.getBoundingClientRect().top : 0
    const scrolledPx = top - body.current.getBoundingClientRect().top
    const known = anchor.current
    const moved = known?.id === undefined ? 0 : indexOf(known.id, known.index, rowAt) - known.index
    if (moved !== 0 && scrolledPx > 1) scroller.scrollBy(0, moved * rowPx)
    const index = Math.max(0, Math.floor(scrolledPx / rowPx) + (scrolledPx > 1 ? moved : 0))
    anchor.current = { id: rowAt(index)?.id, index }
  })
}

/** The index of the row now, or `index` if it is not near its last index. */
function indexOf(id: string, index: number, rowAt: RowAt): number {
  for (let away = 0; away <= steadyWithinRows; away += 1) {
    if (rowAt(index + away)?.id === id) return index + away
    if (index >= away && rowAt(index - away)?.id === id) return index - away
  }
  return index
}

/** Moves the focus to the next row when the focused row is removed. It would fall back to the top of the page otherwise. */
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

/** The up and down keys move the focus to the row before or after, and scroll to it. */
function moveByArrow(event: KeyboardEvent<HTMLElement>) {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  const from = event.target as HTMLElement
  if (step === 0 || !from.matches('[data-row-focus]')) return
  if (focusRow(event.currentTarget, rowIndexOf(from) + step)) event.preventDefault()
}

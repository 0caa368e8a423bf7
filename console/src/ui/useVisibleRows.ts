import { type RefObject, useLayoutEffect, useState } from 'react'

/** The same as `--row` in tokens.css. */
export const rowHeightPx = 60

/** Rows kept above and below what is seen, so that quick scrolling and arrow keys find them there. */
const spareRows = 12

/** The rows of a scrolling element that are worth being in the document: `first` up to, but not including, `last`. */
export function useVisibleRows(scroller: RefObject<HTMLElement | null>, rowCount: number) {
  const [range, setRange] = useState({ top: 0, seen: 20 })
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return undefined
    const look = () => {
      // In steps of 4 rows: most scroll events then change nothing.
      const top = Math.floor(element.scrollTop / rowHeightPx / 4) * 4
      const seen = Math.ceil(element.clientHeight / rowHeightPx) + 4
      setRange((before) => (before.top === top && before.seen === seen ? before : { top, seen }))
    }
    look()
    const resizes = new ResizeObserver(look)
    resizes.observe(element)
    element.addEventListener('scroll', look, { passive: true })
    return () => {
      resizes.disconnect()
      element.removeEventListener('scroll', look)
    }
  }, [scroller])
  return visibleRows(range.top, range.seen, rowCount)
}

export function visibleRows(top: number, seen: number, rowCount: number): { first: number; last: number } {
  const last = Math.min(rowCount, top + seen + spareRows)
  return { first: Math.max(0, Math.min(top - spareRows, last - seen)), last }
}

import { type RefObject, useLayoutEffect, useState } from 'react'

/** `--row` in tokens.css at the usual font size; used until a row has been measured. */
const usualRowPx = 60

/** Rows kept above and below the view, so that fast scrolling and arrow keys find them in the document. */
const spareRows = 12

/**
 * The rows of a list that belong in the document: `first` up to, but not including, `last`. They are computed from the position
 * of the list in the window, so that it makes no difference whether the list scrolls or the whole page.
 */
export function useVisibleRows(body: RefObject<HTMLElement | null>, rowCount: number) {
  const [range, setRange] = useState({ top: 0, seen: 20 })
  useLayoutEffect(() => {
    const element = body.current
    if (!element) return undefined
    const look = () => {
      const rowPx = rowHeightOf(element)
      // In steps of 4 rows, so that most scroll events change nothing.
      const top = Math.floor(Math.max(0, -element.getBoundingClientRect().top) / rowPx / 4) * 4
      const seen = Math.ceil(window.innerHeight / rowPx) + 4
      setRange((before) => (before.top === top && before.seen === seen ? before : { top, seen }))
    }
    look()
    const resizes = new ResizeObserver(look)
    resizes.observe(element)
    // Scroll events do not bubble. The capture phase sees those of every element around the list.
    const options = { capture: true, passive: true }
    document.addEventListener('scroll', look, options)
    window.addEventListener('resize', look)
    return () => {
      resizes.disconnect()
      document.removeEventListener('scroll', look, options)
      window.removeEventListener('resize', look)
    }
  }, [body])
  return visibleRows(range.top, range.seen, rowCount)
}

/** In pixels. The rows of a list have the same height, which depends on the list, the width and the font size. */
export const rowHeightOf = (body: HTMLElement): number =>
  body.firstElementChild?.getBoundingClientRect().height || usualRowPx

export function visibleRows(top: number, seen: number, rowCount: number): { first: number; last: number } {
  const last = Math.min(rowCount, top + seen + spareRows)
  return { first: Math.max(0, Math.min(top - spareRows, last - seen)), last }
}

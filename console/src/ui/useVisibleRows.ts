import { type RefObject, useLayoutEffect, useState } from 'react'

/** `--row` in tokens.css at the usual font size; used until a row has been measured. */
const usualRowPx = 60

/** Rows kept above and below what is seen, so that quick scrolling and arrow keys find them there. */
const spareRows = 12

/**
 * The rows of a list that are worth being in the document: `first` up to, but not including, `last`. Measured against the
 * window, so that it does not matter whether the list scrolls by itself or with the whole page.
 */
export function useVisibleRows(body: RefObject<HTMLElement | null>, rowCount: number) {
  const [range, setRange] = useState({ top: 0, seen: 20 })
  useLayoutEffect(() => {
    const element = body.current
    if (!element) return undefined
    const look = () => {
      const rowPx = rowHeightOf(element)
      // In steps of 4 rows: most scroll events then change nothing.
      const top = Math.floor(Math.max(0, -element.getBoundingClientRect().top) / rowPx / 4) * 4
      const seen = Math.ceil(window.innerHeight / rowPx) + 4
      setRange((before) => (before.top === top && before.seen === seen ? before : { top, seen }))
    }
    look()
    const resizes = new ResizeObserver(look)
    resizes.observe(element)
    // Scroll events do not bubble, but scrolling around the list is seen in the capture phase.
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

/** In pixels. All rows of a list are equally high; how high depends on the list, the width and the font size. */
export const rowHeightOf = (body: HTMLElement): number =>
  body.firstElementChild?.getBoundingClientRect().height || usualRowPx

export function visibleRows(top: number, seen: number, rowCount: number): { first: number; last: number } {
  const last = Math.min(rowCount, top + seen + spareRows)
  return { first: Math.max(0, Math.min(top - spareRows, last - seen)), last }
}

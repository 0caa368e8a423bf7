/** The Unicode blocks of scripts that run from right to left: Hebrew, Arabic, Syriac, Thaana, NKo, Adlam and others. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * Isolates a name inside plain text, such as an accessible label or the title of a page. Without isolation, a name that runs
 * from right to left moves the words and quotes around it (Unicode Standard Annex 9). Elements use `<bdi>`.
 */
export const isolate = (name: string): string => (rightToLeft.test(name) ? `\u2068${name}\u2069` : name)

/** An ending that stays visible: ".pdf", ".tar.gz". */
const ending = /(?:\.[\p{L}\p{N}]{1,4})?\.[\p{L}\p{N}_-]{1,10}$/u

/** Scripts whose letters do not join, so that a name can be cut between two of them. */
const apart = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Han}\p{Nd}\-_ ()]$/u

/** The last characters before the ending tell "report v1.pdf" from "report v2.pdf". */
const keptBefore = 4
const longName = 24

/**
 * Splits a name into a part that may be cut short and a part that is always shown. It never splits a grapheme, nor letters
 * that join, such as Arabic ones.
 */
export function splitName(name: string): { readonly start: string; readonly end: string } {
  const found = ending.exec(name)
  if (!found || found.index === 0) return { start: name, end: '' }
  const stem = name.slice(0, found.index)
  let cut = stem.length
  if (stem.length >= longName) {
    const last = Array.from(stem.slice(-keptBefore))
    if (last.every((character) => apart.test(character))) cut -= keptBefore
  }
  return { start: name.slice(0, cut), end: name.slice(cut) }
}

/** The font size for measuring letters. Large, so that rounding does not matter. */
const measuredPx = 200
/** The boldest weight in which names are shown. */
const measuredWeight = 650
const widths = new Map<string, number>()
const keptWidths = 2_000
let context: CanvasRenderingContext2D | null = null

/** The width of a text in `em`, rounded up, in the font that this computer uses for the page. */
function widthInEm(text: string): number {
  const known = widths.get(text)
  if (known !== undefined) return known
  if (!context) {
    context = document.createElement('canvas').getContext('2d')
    if (context) context.font = `${measuredWeight} ${measuredPx}px ${getComputedStyle(document.body).fontFamily}`
  }
  // Browsers with protection against fingerprinting may refuse to measure. Every letter then counts as wide.
  const width = context ? context.measureText(text).width / measuredPx : text.length
  if (widths.size >= keptWidths) widths.clear()
  const rounded = Math.ceil(width * 100 + 1) / 100
  widths.set(text, rounded)
  return rounded
}

/**
 * A text that people wrote. It may have any direction and any length, and does not reorder or widen the text around it.
 * Browsers do not translate it.
 */
export function UserText({ children, wrap = false }: { children: string; wrap?: boolean }) {
  return wrap ? (
    <bdi className="user-text" translate="no">
      {children}
    </bdi>
  ) : (
    <bdi className="ellipsis" title={children} translate="no">
      {children}
    </bdi>
  )
}

/**
 * The name of a file on one line. A name that is too long loses its middle and keeps its ending, so that the kind of file
 * stays visible. The ending has its own direction, so that its dot stays in front of it. Copying, searching the page and screen
 * readers get the whole name.
 */
export function FileName({ name }: { name: string }) {
  const { start, end } = splitName(name)
  const endWidth = `${widthInEm(end)}em`
  return (
    <bdi className="file-label" title={name} translate="no">
      <span className="file-label-part" style={{ maxWidth: end ? `calc(100% - ${endWidth} + 1px)` : '100%' }}>
        {start}
      </span>
      {end && (
        <span dir="auto" className="file-label-part" style={{ width: endWidth }}>
          {end}
        </span>
      )}
    </bdi>
  )
}

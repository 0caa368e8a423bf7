/** An ending that is worth keeping in sight: ".pdf", ".tar.gz". */
const ending = /(?:\.[\p{L}\p{N}]{1,4})?\.[\p{L}\p{N}_-]{1,10}$/u

/** Scripts whose letters do not join, so that a name can be cut between two of them. */
const apart = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Han}\p{Nd}\-_ ()]$/u

/** The last characters before the ending tell "report v1.pdf" from "report v2.pdf". */
const keptBefore = 4
const longName = 24

/**
 * A name in two parts, of which the first may be cut short and the second is always shown. It is never cut inside a character
 * that people see as one, nor between letters that join, as Arabic ones do.
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

/** Letters are measured this large, so that rounding does not matter. */
const measuredPx = 200
/** As bold as names are written anywhere. */
const measuredWeight = 650
const widths = new Map<string, number>()
const keptWidths = 2_000
let context: CanvasRenderingContext2D | null = null

/** The width of a text in `em`, in the font of the page and rounded up: whatever fonts this computer has. */
export function widthInEm(text: string): number {
  const known = widths.get(text)
  if (known !== undefined) return known
  if (!context) {
    context = document.createElement('canvas').getContext('2d')
    if (context) context.font = `${measuredWeight} ${measuredPx}px ${getComputedStyle(document.body).fontFamily}`
  }
  // Browsers that guard against fingerprinting may refuse: then a letter counts as wide.
  const width = context ? context.measureText(text).width / measuredPx : text.length
  if (widths.size >= keptWidths) widths.clear()
  const rounded = Math.ceil(width * 100 + 1) / 100
  widths.set(text, rounded)
  return rounded
}

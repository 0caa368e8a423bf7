/** Letters that run from right to left, by their blocks: Hebrew, Arabic, Syriac, Thaana, NKo, Adlam and their like. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * A name inside a sentence that is plain text, such as an accessible label or the title of a page. Left alone, a name that runs
 * from right to left would move the words and quotes around it (Unicode Standard Annex 9, isolates). Elements use `<bdi>`.
 */
export const isolate = (name: string): string => (rightToLeft.test(name) ? `\u2068${name}\u2069` : name)

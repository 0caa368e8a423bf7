/**
 * Control characters, line and paragraph separators, and the characters that change the direction of text
 * (https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings): shown to people, they make a text look like
 * another one. The check constraints of `attachments` and the functions of the schema `filegraph` hold the same class.
 */
const unsafe = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

/** Whether a text can be shown as it is. Lone surrogates cannot: Postgres does not store them. */
export const isPlainText = (text: string): boolean => text.isWellFormed() && !unsafe.test(text)

/** The text without the characters that cannot be shown, for what is written down and cannot be refused. */
export const withoutUnsafe = (text: string): string => text.toWellFormed().replaceAll(new RegExp(unsafe, 'gu'), '')

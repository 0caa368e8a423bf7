/** Unicode code points, as Postgres counts characters: an emoji is one or more, and never half of one. */
export const characterCount = (text: string): number => Array.from(text).length

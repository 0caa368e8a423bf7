/** Of the clocks of two machines: the one that is ahead. For when something begins that must not end too early. */
export const latest = (one: Date, other: Date): Date => (one > other ? one : other)

/** The one that is behind. For whether something has lasted long enough. */
export const earliest = (one: Date, other: Date): Date => (one < other ? one : other)

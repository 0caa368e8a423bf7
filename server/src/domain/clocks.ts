/** The later of two clocks. Use it for the start of a period that must not end too early. */
export const latest = (one: Date, other: Date): Date => (one > other ? one : other)

/** The earlier of two clocks. Use it to decide whether a period has lasted long enough. */
export const earliest = (one: Date, other: Date): Date => (one < other ? one : other)

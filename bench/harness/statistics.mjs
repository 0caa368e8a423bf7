/** `sorted` ascending; the nearest rank. */
export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** How far the rounds lie apart, as a share of their median. */
export const spread = (values) => (Math.max(...values) - Math.min(...values)) / median(values)

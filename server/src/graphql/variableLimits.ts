/** Bounds of the variables of one operation, looked at before they are coerced. */
const most = {
  /** Strings, numbers, keys, lists and objects together. */
  values: 5_000,
  depth: 12,
  characters: 1_000_000,
} as const

/** True for variables that hold too much. Looks at no more than the bounds. */
export function isLargeValue(variables: Readonly<Record<string, unknown>>): boolean {
  let values = 0
  let characters = 0
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value: variables, depth: 0 }]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, depth } = next
    values += 1
    if (typeof value === 'string') characters += value.length
    if (values > most.values || depth > most.depth || characters > most.characters) return true
    if (typeof value !== 'object' || value === null) continue
    for (const key in value) {
      characters += key.length
      pending.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 })
      if (pending.length > most.values) return true
    }
  }
  return false
}

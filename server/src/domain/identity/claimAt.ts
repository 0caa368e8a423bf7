/**
 * The value of a claim by its path: `tenant`, `org.slug` for a nested one, `https://app.example/org.slug` for a
 * namespaced one with another inside. A claim whose own name has dots wins over a nested one.
 */
export function claimAt(claims: unknown, path: string): unknown {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined
  const named: Record<string, unknown> = { ...claims }
  if (Object.hasOwn(named, path)) return named[path]
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const parent = path.slice(0, dot)
    if (!Object.hasOwn(named, parent)) continue
    const found = claimAt(named[parent], path.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}

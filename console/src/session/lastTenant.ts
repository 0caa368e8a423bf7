const key = 'filegraph.tenant'

/** The tenant that this browser showed last: a convenience, so it may be missing, wrong, or somebody else's. */
export function readLastTenant(): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function keepLastTenant(slug: string): void {
  try {
    localStorage.setItem(key, slug)
  } catch {
    // A private window keeps nothing: the next start shows the first tenant.
  }
}

import { type ComponentType, lazy, type LazyExoticComponent } from 'react'

const parts: (() => Promise<unknown>)[] = []

/** A page or dialog that is not in the first load. It is fetched when it is shown, or by `fetchPartsAhead`. */
export function lazyPart<Props>(load: () => Promise<ComponentType<Props>>): LazyExoticComponent<ComponentType<Props>> {
  const fetchPart = async () => ({ default: await load() })
  parts.push(fetchPart)
  return lazy(fetchPart)
}

/** Well after the requests of the first page. */
const pauseMs = 3_000

/**
 * Fetches every part once the page is idle, nested parts included. A fetched part opens at once, even without a network or
 * after an update has removed the old files from the server.
 */
export function fetchPartsAhead(): void {
  const begin = () => setTimeout(() => void fetchParts(), pauseMs)
  if (document.readyState === 'complete') begin()
  else window.addEventListener('load', begin, { once: true })
}

async function fetchParts(): Promise<void> {
  // A part with nested parts appends them to the list.
  for (const fetchPart of parts) await fetchPart().catch(() => undefined)
}

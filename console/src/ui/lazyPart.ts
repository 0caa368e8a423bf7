import { type ComponentType, lazy, type LazyExoticComponent } from 'react'

const parts: (() => Promise<unknown>)[] = []

/** A page or dialog that is not in the first load. It is fetched when it is shown, or by `fetchPartsAhead`. */
export function lazyPart<Props>(load: () => Promise<ComponentType<Props>>): LazyExoticComponent<ComponentType<Props>> {
  const fetchPart = async () => ({ default: await load() })
  parts.push(fetchPart)
  return lazy(fetchPart)
}

/** Long after what the first page needs. */
const pauseMs = 3_000

/**
 * Fetches every part once the page is at rest, those of other parts included. What is fetched by then opens at once, also
 * without a network, and right after an update has taken the old files from the server.
 */
export function fetchPartsAhead(): void {
  const begin = () => setTimeout(() => void fetchParts(), pauseMs)
  if (document.readyState === 'complete') begin()
  else window.addEventListener('load', begin, { once: true })
}

async function fetchParts(): Promise<void> {
  // A part that brings parts of its own adds them to the end.
  for (const fetchPart of parts) await fetchPart().catch(() => undefined)
}

import { useSyncExternalStore } from 'react'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'filegraph.theme'
const listeners = new Set<() => void>()

const isTheme = (text: string | null): text is Theme => themes.some((theme) => theme === text)

/** The theme that was chosen in this browser. Private windows may not store it. Default: the system's theme. */
function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(key)
    return isTheme(kept) ? kept : 'system'
  } catch {
    return 'system'
  }
}

let current: Theme = 'system'

/** Applies the stored choice. Called once, before the first paint. */
export function applyTheme(theme: Theme = readTheme()): void {
  current = theme
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  for (const listener of listeners) listener()
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(key, theme)
  } catch {
    // The choice lasts until the page is closed.
  }
  applyTheme(theme)
}

export const useTheme = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => current,
  )

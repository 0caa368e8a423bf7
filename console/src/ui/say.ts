import type { ReactNode } from 'react'

export interface Message {
  readonly id: number
  readonly text: ReactNode
  readonly action?: { readonly label: string; readonly run: () => void } | undefined
}

type Listener = (message: Message) => void

const waiting: Message[] = []
let listener: Listener | null = null
let lastId = 0
let load: (() => void) | null = null

/** Says something in passing, with at most one thing to do about it. */
export function say(text: ReactNode, action?: Message['action']): void {
  lastId += 1
  const message = { id: lastId, text, action }
  if (listener) return listener(message)
  waiting.push(message)
  load?.()
}

/** Told once something is to be said for the first time: until then nothing needs to be there to show it. */
export const whenFirstSaid = (run: () => void) => {
  load = run
}

/** Hands every message over, those from before included. */
export function listenToMessages(next: Listener): void {
  listener = next
  for (const message of waiting.splice(0)) next(message)
}

import type { ReactNode } from 'react'

export interface Action {
  readonly label: string
  readonly run: () => void
  /** The object of the action. `withdraw` removes the message once the object no longer exists. */
  readonly subject?: string
}

export interface Message {
  readonly id: number
  readonly text: ReactNode
  readonly action?: Action | undefined
}

interface Listener {
  readonly show: (message: Message) => void
  readonly withdraw: (subject: string) => void
}

let waiting: Message[] = []
let listener: Listener | null = null
let lastId = 0
let showPlace: (() => void) | null = null

/** Shows a short message, with at most one action. */
export function say(text: ReactNode, action?: Action): void {
  lastId += 1
  const message = { id: lastId, text, action }
  if (listener) listener.show(message)
  else waiting.push(message)
  showPlace?.()
}

/** Removes messages whose action needs an object that no longer exists. */
export function withdraw(subject: string): void {
  waiting = waiting.filter(({ action }) => action?.subject !== subject)
  listener?.withdraw(subject)
}

/** Called for each message. Before the first one, nothing is loaded that could show it. */
export const whenSaid = (run: () => void) => {
  showPlace = run
}

/** Passes every message to `listener`, earlier ones included. */
export function listenToMessages(next: Listener): void {
  listener = next
  for (const message of waiting) next.show(message)
  waiting = []
}

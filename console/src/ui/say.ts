import type { ReactNode } from 'react'

export interface Action {
  readonly label: string
  readonly run: () => void
  /** What the action is done to. It is offered no longer once `withdraw` is told that nothing can be done to that any more. */
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

/** Says something in passing, with at most one thing to do about it. */
export function say(text: ReactNode, action?: Action): void {
  lastId += 1
  const message = { id: lastId, text, action }
  if (listener) listener.show(message)
  else waiting.push(message)
  showPlace?.()
}

/** Takes back messages that offer to do something to what is gone. */
export function withdraw(subject: string): void {
  waiting = waiting.filter(({ action }) => action?.subject !== subject)
  listener?.withdraw(subject)
}

/** Told whenever something is said: until the first time nothing needs to be there to show it. */
export const whenSaid = (run: () => void) => {
  showPlace = run
}

/** Hands every message over, those from before included. */
export function listenToMessages(next: Listener): void {
  listener = next
  for (const message of waiting) next.show(message)
  waiting = []
}

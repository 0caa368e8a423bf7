import { ApolloLink } from '@apollo/client'
import { OperationTypeNode } from 'graphql'
import { of, switchMap, tap } from 'rxjs'

/** What a tab tells the others of the same browser. It holds no names: the receiver asks the API with its own credentials. */
interface Change {
  readonly tenant: string
  /** A file that no longer exists. */
  readonly purged?: string
}

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('filegraph.changes')
const elsewhere = new Set<(change: Change) => void>()
const purges = new Set<(id: string) => void>()
let ownChanges = 0

channel?.addEventListener('message', ({ data }: MessageEvent<Change>) => {
  for (const listener of elsewhere) listener(data)
  if (data.purged !== undefined) for (const listener of purges) listener(data.purged)
})

function tellOtherTabs(change: Change): void {
  // A BroadcastChannel reaches no other origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  channel?.postMessage(change)
}

/**
 * Counts the mutations of this tab and tells other tabs of each one that was answered. Asks a query a second time if a
 * mutation of this tab began or ended meanwhile: the first answer may be older, and would take back what people have done.
 */
export const tellChanges = (tenant: string): ApolloLink =>
  new ApolloLink((operation, forward) => {
    if (operation.operationType !== OperationTypeNode.MUTATION) return askAgainIfChanged(operation, forward)
    ownChanges += 1
    return forward(operation).pipe(
      tap(() => {
        ownChanges += 1
        tellOtherTabs({ tenant })
      }),
    )
  })

function askAgainIfChanged(operation: ApolloLink.Operation, forward: ApolloLink.ForwardFunction) {
  const before = ownChanges
  return forward(operation).pipe(switchMap((answer) => (before === ownChanges ? of(answer) : forward(operation))))
}

/** Two equal counts: this tab has changed nothing in between, so what was read is not older than what is shown. */
export const ownChangeCount = (): number => ownChanges

/** Runs when another tab has changed something in the tenant. Returns what stops it. */
export function whenChangedElsewhere(tenant: string, run: () => void): () => void {
  const listener = (change: Change) => change.tenant === tenant && run()
  elsewhere.add(listener)
  return () => void elsewhere.delete(listener)
}

/** Nothing can be done to this file any more, in any tab. */
export function tellPurged(tenant: string, id: string): void {
  for (const listener of purges) listener(id)
  tellOtherTabs({ tenant, purged: id })
}

/** Runs when a file was purged in this browser. Returns what stops it. */
export function whenPurged(listener: (id: string) => void): () => void {
  purges.add(listener)
  return () => void purges.delete(listener)
}

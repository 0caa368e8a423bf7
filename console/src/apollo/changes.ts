import { ApolloLink } from '@apollo/client'
import { OperationTypeNode } from 'graphql'
import { of, switchMap, tap } from 'rxjs'

/** A message from one tab to the others of the same browser. It has no names: the receiver queries the API with its own credentials. */
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
 * Counts the mutations of this tab, and tells other tabs about each one that got a response. Repeats a query if a mutation of this
 * tab started or ended meanwhile: the first response may be older, and would undo on the screen what people have done.
 */
export const tellChanges = (tenant: string): ApolloLink =>
  new ApolloLink((operation, forward) => {
    if (operation.operationType !== OperationTypeNode.MUTATION) return repeatIfChanged(operation, forward)
    ownChanges += 1
    return forward(operation).pipe(
      tap(() => {
        ownChanges += 1
        tellOtherTabs({ tenant })
      }),
    )
  })

function repeatIfChanged(operation: ApolloLink.Operation, forward: ApolloLink.ForwardFunction) {
  const before = ownChanges
  return forward(operation).pipe(switchMap((answer) => (before === ownChanges ? of(answer) : forward(operation))))
}

/** If the count is the same before and after a query, this tab changed nothing meanwhile and the response is current. */
export const ownChangeCount = (): number => ownChanges

/** Calls `run` when another tab has changed something in the tenant. Returns a function that stops it. */
export function whenChangedElsewhere(tenant: string, run: () => void): () => void {
  const listener = (change: Change) => change.tenant === tenant && run()
  elsewhere.add(listener)
  return () => void elsewhere.delete(listener)
}

/** Tells every tab that a file was purged. */
export function tellPurged(tenant: string, id: string): void {
  for (const listener of purges) listener(id)
  tellOtherTabs({ tenant, purged: id })
}

/** Calls `listener` when a file was purged in this browser. Returns a function that stops it. */
export function whenPurged(listener: (id: string) => void): () => void {
  purges.add(listener)
  return () => void purges.delete(listener)
}

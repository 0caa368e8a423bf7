import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { type FileRowFragment, FileRowFragmentDoc, UsageNowDocument } from '../apollo/operations.ts'
import { clientOf } from '../apollo/tenantClients.ts'
import { putIntoFiles } from '../files/fileLists.ts'

/** Lists and usage are updated in steps. A step costs the same for a hundred files as for one. */
const listsEveryMs = 500
const usageEveryMs = 2_000
const catchUpEveryMs = 3_000

const arrived = new Map<string, FileRowFragment[]>()
const behind = new Set<string>()
const listeners = new Set<() => void>()
let listsAt = 0
const usageTimers = new Map<string, ReturnType<typeof setTimeout>>()

/** Adds an uploaded file to the lists that it matches, together with others that arrive at the same time. */
export function showArrived(tenant: string, file: FileRowFragment): void {
  const files = arrived.get(tenant)
  if (files) return void files.push(file)
  arrived.set(tenant, [file])
  setTimeout(() => showInLists(tenant), Math.max(0, listsAt + listsEveryMs - Date.now()))
}

function showInLists(tenant: string): void {
  const files = arrived.get(tenant) ?? []
  arrived.delete(tenant)
  listsAt = Date.now()
  let isBehind = false
  clientOf(tenant).cache.batch({
    update(cache) {
      for (const file of files) {
        const id = cache.identify({ __typename: 'File', id: file.id })
        if (!id) continue
        cache.writeFragment({ id, fragment: FileRowFragmentDoc, fragmentName: 'FileRow', data: file })
        // A new version changes these fields. They are queried again where they are shown.
        if (file.version.number > 1) for (const fieldName of ['versions', 'sha256']) cache.evict({ id, fieldName })
      }
      isBehind = !putIntoFiles(cache, ...files)
    },
  })
  if (isBehind) tellBehind(tenant, true)
  renewUsage(tenant)
}

function renewUsage(tenant: string): void {
  if (usageTimers.has(tenant)) return
  const ask = () => {
    usageTimers.delete(tenant)
    const query = { query: UsageNowDocument, fetchPolicy: 'network-only' } as const
    void clientOf(tenant)
      .query(query)
      .catch(() => undefined)
  }
  usageTimers.set(tenant, setTimeout(ask, usageEveryMs))
}

function tellBehind(tenant: string, isBehind: boolean): void {
  if (isBehind) behind.add(tenant)
  else behind.delete(tenant)
  for (const listener of listeners) listener()
}

type OnView = (first: number, last: number) => void

/**
 * Loads the first page again if more files were uploaded than fit into it, but only while the beginning of the list is in view, so
 * that people who read further down keep their place. Returns the handler that the table calls instead of `onView`.
 */
export function useCatchUp(tenant: string, refetch: () => Promise<unknown>, onView: OnView): OnView {
  const [isAtTop, setAtTop] = useState(true)
  const isDue = useSyncExternalStore(subscribe, () => behind.has(tenant)) && isAtTop
  useEffect(() => {
    if (!isDue) return undefined
    const timer = setTimeout(() => {
      tellBehind(tenant, false)
      void refetch().catch(() => tellBehind(tenant, true))
    }, catchUpEveryMs)
    return () => clearTimeout(timer)
  }, [tenant, isDue, refetch])
  return useCallback(
    (first, last) => {
      setAtTop(first === 0)
      onView(first, last)
    },
    [onView],
  )
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

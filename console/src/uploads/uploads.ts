import type { ApolloClient } from '@apollo/client'
import { useSyncExternalStore } from 'react'
import {
  CancelUploadDocument,
  CommitUploadDocument,
  CreateUploadIntentDocument,
  ShellPartsDocument,
} from '../apollo/operations.ts'
import { takeSuccess } from '../apollo/takeSuccess.ts'
import { clientOf } from '../apollo/tenantClients.ts'
import { showArrived } from './arrivals.ts'
import { type Dropped, readFolders } from './dropped.ts'
import { putBytes, type UploadGateway, sha256Of } from './sendFile.ts'
import { UploadQueue } from './uploadQueue.ts'
import type { FolderNotes } from './uploadStore.ts'
import type { ChosenFile } from './uploadWork.ts'

/** The one queue of this browser tab. */
export const uploads = new UploadQueue({
  gatewayOf: (tenant) => gatewayOf(clientOf(tenant)),
  put: putBytes,
  digest: async (tenant, bytes) => (isTooLarge(tenant, bytes) ? null : sha256Of(bytes)),
  newKey: () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  onDone: showArrived,
  nextFrame: (run) => void requestAnimationFrame(run),
})

const { store } = uploads

export const useUploads = (tenant: string) => useSyncExternalStore(store.subscribe, () => store.view(tenant))

export const useUpload = (id: string) =>
  useSyncExternalStore(
    (listener) => store.subscribeTo(id, listener),
    () => store.read(id),
  )

/** Adds files for the signed-in person. */
export const addFiles = (tenant: string, files: readonly ChosenFile[]): void =>
  uploads.add(tenant, personIn(tenant), files)

/** The server refuses such a file before any byte is sent, so computing its checksum is not needed. */
function isTooLarge(tenant: string, { size }: Blob): boolean {
  const shell = clientOf(tenant).readQuery({ query: ShellPartsDocument })
  if (!shell?.usage || !shell.viewer) return false
  const { quotaBytes, storedBytes, reservedBytes } = shell.usage
  const left = quotaBytes === null ? Infinity : quotaBytes - storedBytes - reservedBytes
  return size > shell.viewer.tenant.policy.maxFileBytes || size > left
}

const personIn = (tenant: string): string =>
  clientOf(tenant).readQuery({ query: ShellPartsDocument })?.viewer?.principal.email ?? ''

/** The controllers that stop reading folders. */
const readings = new Set<{ readonly tenant: string; readonly stop: AbortController }>()

/** Adds dropped files at once, and files in dropped folders as they are read. */
export async function addDropped(tenant: string, { files, folders }: Dropped): Promise<void> {
  addFiles(tenant, files)
  if (folders.length === 0) return
  const owner = personIn(tenant)
  const reading = { tenant, stop: new AbortController() }
  readings.add(reading)
  note(tenant, { isReading: true })
  const count = (field: 'files' | 'junk' | 'emptyFolders', by: number) =>
    note(tenant, { [field]: (store.notes(tenant) ?? noNotes)[field] + by })
  await readFolders(
    folders,
    {
      onFiles(found) {
        if (reading.stop.signal.aborted) return
        count('files', found.length)
        uploads.add(tenant, owner, found)
      },
      onJunk: (found) => count('junk', found),
      onEmptyFolder: () => count('emptyFolders', 1),
      onUnreadable: (path) => note(tenant, { unreadable: [...(store.notes(tenant)?.unreadable ?? []), path] }),
    },
    reading.stop.signal,
  )
  readings.delete(reading)
  note(tenant, { isReading: [...readings].some((other) => other.tenant === tenant) })
}

/** Adds the files of a chosen folder, which the browser has already read. */
export function addFolder(tenant: string, { files, junk }: { files: readonly ChosenFile[]; junk: number }): void {
  if (files.length + junk === 0) return
  const { files: before, junk: junkBefore } = store.notes(tenant) ?? noNotes
  note(tenant, { files: before + files.length, junk: junkBefore + junk })
  addFiles(tenant, files)
}

/** Cancels all unfinished uploads, and stops reading dropped folders. */
export function cancelAll(tenant: string): void {
  for (const { stop, tenant: of } of readings) if (of === tenant) stop.abort()
  uploads.cancelAll(tenant)
}

const noNotes: FolderNotes = { isReading: false, files: 0, junk: 0, emptyFolders: 0, unreadable: [] }

const note = (tenant: string, changes: Partial<FolderNotes>) =>
  store.setNotes(tenant, { ...(store.notes(tenant) ?? noNotes), ...changes })

/** Drops all uploads after signing out, so that the next person in this tab does not see them. */
export function forgetUploads(): void {
  for (const { stop } of readings) stop.abort()
  uploads.dropAll()
}

/** Makes the browser ask before it closes a tab with running uploads. */
window.addEventListener('beforeunload', (event) => {
  if (readings.size > 0 || uploads.unfinishedCount() > 0) event.preventDefault()
})

window.addEventListener('online', () => {
  if (store.pause() === 'unreachable') uploads.resume()
})

/** Intents are not cached: their address is a credential, and nothing reads it from the cache. */
function gatewayOf(client: ApolloClient): UploadGateway {
  const fetchPolicy = 'no-cache'
  return {
    async createIntent(input) {
      const variables = { input }
      const { data } = await client.mutate({ mutation: CreateUploadIntentDocument, variables, fetchPolicy })
      return takeSuccess(data?.createUploadIntent, 'uploadIntent').uploadIntent
    },
    async commit(id) {
      const variables = { input: { id } }
      const { data } = await client.mutate({ mutation: CommitUploadDocument, variables, fetchPolicy })
      return takeSuccess(data?.commitUpload, 'file').file
    },
    async cancel(id) {
      await client.mutate({ mutation: CancelUploadDocument, variables: { input: { id } }, fetchPolicy })
    },
  }
}

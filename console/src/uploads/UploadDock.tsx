import { Suspense, useSyncExternalStore } from 'react'
import { useTenant } from '../shell/useShell.ts'
import { uploads, useUploads } from './uploads.ts'
import type { UploadView } from './uploadStore.ts'
import { wordEnd, wordFiles } from './wordUploads.ts'
import { lazyPart } from '../ui/lazyPart.ts'

const UploadPanel = lazyPart(() => import('./UploadPanel.tsx').then((part) => part.UploadPanel))

const { store } = uploads

/** The corner of every page that shows uploads. The code of the panel is fetched with the first upload. */
export function UploadDock() {
  const tenant = useTenant()
  const view = useUploads(tenant)
  const notes = useSyncExternalStore(store.subscribe, () => store.notes(tenant))
  const elsewhere = useSyncExternalStore(store.subscribe, store.busyTenants).some((busy) => busy !== tenant)
  return (
    <>
      <div className="visually-hidden" role="status">
        {wordStatus(view)}
      </div>
      <Suspense>{(view.ids.length > 0 || notes || elsewhere) && <UploadPanel />}</Suspense>
    </>
  )
}

/** Screen readers read this at the beginning and at the end, and not for each file. */
function wordStatus({ ids, count, unfinished }: UploadView): string {
  if (unfinished > 0) return `Uploading ${wordFiles(ids.length - count.cancelled)}`
  return wordEnd(count)
}

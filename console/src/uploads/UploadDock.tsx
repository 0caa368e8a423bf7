import { lazy, Suspense, useSyncExternalStore } from 'react'
import { useTenant } from '../shell/useShell.ts'
import { formatCount } from '../ui/formatBytes.ts'
import { uploads, useUploads } from './uploads.ts'
import type { UploadView } from './uploadStore.ts'

const UploadPanel = lazy(() => import('./UploadPanel.tsx').then((part) => ({ default: part.UploadPanel })))

const { store } = uploads

/** The place of the uploads at the edge of every page. The panel itself is fetched when there is something to show. */
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

/** Read out at the beginning and at the end, and not with each file. */
function wordStatus({ ids, count, unfinished }: UploadView): string {
  if (unfinished > 0) return `Uploading ${wordFiles(ids.length - count.cancelled)}`
  return wordEnd(count)
}

export function wordEnd({ failed, done, cancelled }: UploadView['count']): string {
  const uploaded = `${wordFiles(done)} uploaded`
  if (failed > 0) {
    const failures = `${formatCount(failed)} ${failed === 1 ? 'upload' : 'uploads'} failed`
    return done > 0 ? `${failures}, ${uploaded}` : failures
  }
  if (done > 0) return uploaded
  return cancelled > 0 ? 'Upload cancelled' : ''
}

export const wordFiles = (count: number): string => `${formatCount(count)} ${count === 1 ? 'file' : 'files'}`

import './uploads.css'
import { ChevronDown, ChevronUp, CircleAlert, CircleCheck, RotateCw, X } from 'lucide-react'
import { memo, useRef, useState, useSyncExternalStore } from 'react'
import { Link } from 'react-router'
import { paths } from '../paths.ts'
import { useShell, useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { UserText } from '../ui/UserText.tsx'
import { useVisibleRows } from '../ui/useVisibleRows.ts'
import { wordEnd, wordFiles } from './wordUploads.ts'
import { UploadNotes } from './UploadNotes.tsx'
import { cancelAll, uploads, useUpload, useUploads } from './uploads.ts'
import type { Upload, UploadView } from './uploadStore.ts'

const { store } = uploads

/** Running, finished and failed uploads. */
export function UploadPanel() {
  const tenant = useTenant()
  const view = useUploads(tenant)
  const [isOpen, setOpen] = useState(true)
  return (
    <section className="uploads" aria-label="Uploads">
      <header className="uploads-head">
        <h2>{wordTitle(view)}</h2>
        {view.unfinished > 1 && (
          <Button look="quiet" onPress={() => cancelAll(tenant)}>
            Cancel all
          </Button>
        )}
        {view.ids.length > 0 && (
          <Button
            look="icon"
            aria-label={isOpen ? 'Hide the uploads' : 'Show the uploads'}
            aria-expanded={isOpen}
            onPress={() => setOpen(!isOpen)}
          >
            {isOpen ? <ChevronDown size={18} aria-hidden /> : <ChevronUp size={18} aria-hidden />}
          </Button>
        )}
        {view.unfinished === 0 && (
          <Button look="icon" aria-label="Close the list of uploads" onPress={() => uploads.clearEnded(tenant)}>
            <X size={18} aria-hidden />
          </Button>
        )}
      </header>
      {view.unfinished > 0 && <TotalProgress {...view} />}
      <Elsewhere />
      {isOpen && (
        <>
          <UploadNotes tenant={tenant} failures={view.failures} />
          <UploadList ids={view.ids} />
        </>
      )}
    </section>
  )
}

function wordTitle({ ids, count, unfinished }: UploadView): string {
  const total = ids.length - count.cancelled
  if (unfinished > 0)
    return total === 1 ? 'Uploading 1 file' : `Uploaded ${formatCount(count.done)} of ${wordFiles(total)}`
  return wordEnd(count) || 'Uploads'
}

function TotalProgress({ byteSize, sentBytes }: UploadView) {
  return (
    <div className="uploads-total soft">
      <Progress label="All uploads" byteSize={byteSize} sentBytes={sentBytes} />
      {formatBytes(sentBytes)} of {formatBytes(byteSize)}
    </div>
  )
}

/** Names other workspaces with running uploads. */
function Elsewhere() {
  const tenant = useTenant()
  const others = useSyncExternalStore(store.subscribe, store.busyTenants).filter((busy) => busy !== tenant)
  const names = useShell()?.viewer?.tenants ?? []
  return others.map((slug) => (
    <p key={slug} className="uploads-note">
      <span>Uploads continue in </span>
      <Link to={paths.files(slug)}>
        <UserText>{names.find((each) => each.slug === slug)?.name ?? slug}</UserText>
      </Link>
    </p>
  ))
}

/** Only the rows in view are in the document. */
function UploadList({ ids }: { ids: readonly string[] }) {
  const list = useRef<HTMLUListElement>(null)
  const { first, last } = useVisibleRows(list, ids.length)
  return (
    <div className="uploads-list">
      <ul ref={list} style={{ height: `calc(var(--row) * ${ids.length})` }}>
        {ids.slice(first, last).map((id, at) => (
          <UploadItem key={id} id={id} place={first + at} count={ids.length} />
        ))}
      </ul>
    </div>
  )
}

interface UploadItemProps {
  readonly id: string
  readonly place: number
  readonly count: number
}

const UploadItem = memo(function UploadItem({ id, place, count }: UploadItemProps) {
  const upload = useUpload(id)
  if (!upload) return null
  const { name, folder, step } = upload
  const canCancel = step === 'waiting' || step === 'checking' || step === 'sending'
  const canRetry = step === 'failed' || step === 'cancelled'
  return (
    <li
      className="upload"
      aria-setsize={count}
      aria-posinset={place + 1}
      style={{ transform: `translateY(calc(var(--row) * ${place}))` }}
    >
      <div className="upload-text">
        <span className="upload-name">
          <UserText>{name}</UserText>
          {folder && <UserText>{folder}</UserText>}
        </span>
        {(step === 'sending' || step === 'committing') && <Progress label={`Sending ${name}`} {...upload} />}
        <span className={step === 'failed' ? 'upload-state field-error' : 'upload-state soft'}>
          <UserText>{wordStep(upload)}</UserText>
        </span>
      </div>
      {step === 'done' && <CircleCheck className="upload-done" size={20} aria-hidden />}
      {step === 'failed' && <CircleAlert className="upload-failed" size={20} aria-hidden />}
      {canRetry && (
        <Button look="icon" aria-label={`Try again: ${name}`} onPress={() => uploads.retry([id])}>
          <RotateCw size={17} aria-hidden />
        </Button>
      )}
      {canCancel && (
        <Button look="icon" aria-label={`Cancel: ${name}`} onPress={() => uploads.cancel(id)}>
          <X size={18} aria-hidden />
        </Button>
      )}
    </li>
  )
})

function Progress({ label, sentBytes, byteSize }: Pick<Upload, 'sentBytes' | 'byteSize'> & { label: string }) {
  const percent = byteSize === 0 ? 100 : Math.min(100, (sentBytes / byteSize) * 100)
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
    >
      <div className="progress-fill" style={{ width: `${percent}%` }} />
    </div>
  )
}

function wordStep({ step, remark, sentBytes, byteSize }: Upload): string {
  switch (step) {
    case 'waiting':
      return 'Waiting'
    case 'checking':
      return 'Preparing'
    case 'sending':
      return `${formatBytes(sentBytes)} of ${formatBytes(byteSize)}`
    case 'committing':
      return 'Finishing'
    case 'done':
      return remark ? `${formatBytes(byteSize)} · ${remark}` : formatBytes(byteSize)
    case 'cancelled':
      return 'Cancelled'
    case 'failed':
      return 'Failed'
  }
}

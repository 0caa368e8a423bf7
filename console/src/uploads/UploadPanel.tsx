import './uploads.css'
import { CircleAlert, CircleCheck, RotateCw, X } from 'lucide-react'
import { useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { formatBytes } from '../ui/formatBytes.ts'
import { UserText } from '../ui/UserText.tsx'
import { isUnfinished, type Upload } from './uploadQueue.ts'
import { uploads, useUploads } from './uploads.ts'

/** What is being uploaded, what has arrived, and what went wrong. */
export function UploadPanel() {
  const shown = useUploads(useTenant())
  const title = panelTitle(shown)
  return (
    <>
      <div className="visually-hidden" role="status">
        {title}
      </div>
      {shown.length > 0 && (
        <section className="uploads" aria-label="Uploads">
          <header className="uploads-head">
            <h2>{title}</h2>
            {!shown.some(isUnfinished) && (
              <Button look="icon" aria-label="Close the list of uploads" onPress={uploads.clearEnded}>
                <X size={18} aria-hidden />
              </Button>
            )}
          </header>
          <ul className="uploads-list">
            {shown.map((upload) => (
              <UploadItem key={upload.id} upload={upload} />
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

/** The sum of it in a few words; read out whenever it changes. */
export function panelTitle(shown: readonly Upload[]): string {
  const count = (test: (upload: Upload) => boolean) => shown.filter(test).length
  const going = count(isUnfinished)
  const failed = count(({ step }) => step === 'failed')
  const done = count(({ step }) => step === 'done')
  if (shown.length === 0) return ''
  if (going > 0) return `Uploading ${going} ${going === 1 ? 'file' : 'files'}`
  if (failed > 0) return `${failed} ${failed === 1 ? 'upload' : 'uploads'} failed`
  return done > 0 ? `${done} ${done === 1 ? 'file' : 'files'} uploaded` : 'Upload cancelled'
}

function UploadItem({ upload }: { upload: Upload }) {
  const { id, name, step } = upload
  const canCancel = step === 'waiting' || step === 'checking' || step === 'sending'
  const canRetry = step === 'failed' || step === 'cancelled'
  return (
    <li className="upload">
      <div className="upload-text">
        <UserText>{name}</UserText>
        {step === 'sending' || step === 'committing' ? <Progress upload={upload} /> : null}
        <span className={step === 'failed' ? 'field-error' : 'upload-state soft'}>{wordStep(upload)}</span>
      </div>
      {step === 'done' && <CircleCheck className="upload-done" size={20} aria-hidden />}
      {step === 'failed' && <CircleAlert className="upload-failed" size={20} aria-hidden />}
      {canRetry && (
        <Button look="icon" aria-label={`Try again: ${name}`} onPress={() => uploads.retry(id)}>
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
}

function Progress({ upload: { name, sentBytes, byteSize } }: { upload: Upload }) {
  const percent = byteSize === 0 ? 100 : Math.min(100, (sentBytes / byteSize) * 100)
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={`Sending ${name}`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
    >
      <div className="progress-fill" style={{ width: `${percent}%` }} />
    </div>
  )
}

function wordStep({ step, failure, sentBytes, byteSize }: Upload): string {
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
      return formatBytes(byteSize)
    case 'cancelled':
      return 'Cancelled'
    case 'failed':
      return failure ?? ''
  }
}

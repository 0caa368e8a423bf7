import { ArchiveRestore } from 'lucide-react'
import type { TrashPageQuery } from '../apollo/operations.ts'
import { FileBadges } from '../files/FileBadges.tsx'
import { FileIcon } from '../files/FileIcon.tsx'
import { typeNameOf } from '../files/typeNames.ts'
import { Button } from '../ui/Button.tsx'
import { formatBytes } from '../ui/formatBytes.ts'
import { dayAt, daysUntil, exactTime } from '../ui/formatTime.ts'
import { Time } from '../ui/Time.tsx'
import { useNow } from '../ui/useNow.ts'
import { isolate } from '../ui/isolate.ts'
import { FileName, UserText } from '../ui/UserText.tsx'
import { type TrashChoices, TrashMenu } from './TrashMenu.tsx'

export type TrashedFile = NonNullable<TrashPageQuery['files']>['edges'][number]['node']

interface TrashRowProps {
  readonly file: TrashedFile
  /** Null for people who may only look. */
  readonly onRestore: (() => void) | null
  /** What only administrators may do. */
  readonly choices: TrashChoices | null
}

/** A deleted file, and until when it can be restored. */
export function TrashRow({ file, onRestore, choices }: TrashRowProps) {
  const deletedAt = file.deletedAt ?? file.updatedAt
  // Our clock may be behind the server's: nobody has more days left than there are.
  const now = Math.max(useNow(), Date.parse(deletedAt))
  const left = file.purgeAfter === null ? null : daysUntil(file.purgeAfter, now)
  return (
    <>
      <div role="cell" className="file-name">
        <FileIcon contentType={file.contentType} />
        <div className="file-text">
          <FileName name={file.name} />
          <FileBadges file={file} />
          <span className="file-summary soft">
            {typeNameOf(file.contentType, file.name)} · {formatBytes(file.byteSize)}
            <span className="file-summary-more"> · {wordLeft(left)}</span>
          </span>
        </div>
      </div>
      <div role="cell" className="cell-who">
        <UserText>{file.deletedBy?.name ?? ''}</UserText>
      </div>
      <div role="cell" className="cell-when">
        <Time at={deletedAt} />
      </div>
      <div role="cell" className={left !== null && left <= 3 ? 'cell-size trash-soon' : 'cell-size'}>
        {file.purgeAfter === null ? (
          wordLeft(left)
        ) : (
          <time dateTime={file.purgeAfter} title={exactTime(file.purgeAfter)} className="trash-until">
            {dayAt(file.purgeAfter)} <span className="trash-left">{wordLeft(left)}</span>
          </time>
        )}
      </div>
      <div role="cell" className="cell-actions">
        {onRestore && (
          <Button look="plain" aria-label={`Restore ${isolate(file.name)}`} onPress={onRestore} data-row-focus>
            <ArchiveRestore size={16} aria-hidden /> <span className="trash-verb">Restore</span>
          </Button>
        )}
        {choices && <TrashMenu name={file.name} isHeld={file.hold !== null} choices={choices} />}
      </div>
    </>
  )
}

/** Null is a file that is held: its time does not end. */
function wordLeft(days: number | null): string {
  if (days === null) return 'while held'
  if (days === 0) return 'time is over'
  return days === 1 ? '1 day left' : `${days} days left`
}

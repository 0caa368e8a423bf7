import { EllipsisVertical, Lock, LockOpen, Trash2, ArchiveRestore } from 'lucide-react'
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components/Menu'
import type { TrashPageQuery } from '../apollo/operations.ts'
import { FileBadges, FileIcon } from '../files/FileBadges.tsx'
import { typeNameOf } from '../files/typeNames.ts'
import { Button } from '../ui/Button.tsx'
import { Time, useNow } from '../ui/Time.tsx'
import { isolate, FileName, UserText } from '../ui/UserText.tsx'
import { formatBytes } from '../ui/formatBytes.ts'
import { dayAt, daysUntil, exactTime } from '../ui/formatTime.ts'

interface TrashChoices {
  readonly onHold: () => void
  readonly onRelease: () => void
  readonly onPurge: () => void
}

/** The actions of administrators on a deleted file. A file on hold cannot be deleted forever, and the menu says so. */
function TrashMenu({ name, isHeld, choices }: { name: string; isHeld: boolean; choices: TrashChoices }) {
  return (
    <MenuTrigger>
      <Button look="icon" aria-label={`More for ${isolate(name)}`}>
        <EllipsisVertical size={18} aria-hidden />
      </Button>
      <Popover className="menu-popover" placement="bottom end">
        <Menu className="menu" aria-label={name}>
          {isHeld ? (
            <MenuItem className="menu-item" textValue="Release from legal hold" onAction={choices.onRelease}>
              <LockOpen size={16} aria-hidden /> Release from legal hold …
            </MenuItem>
          ) : (
            <MenuItem className="menu-item" textValue="Put under legal hold" onAction={choices.onHold}>
              <Lock size={16} aria-hidden /> Put under legal hold …
            </MenuItem>
          )}
          <Separator className="menu-separator" />
          <MenuItem
            className="menu-item menu-item-danger"
            textValue="Delete forever"
            isDisabled={isHeld}
            onAction={choices.onPurge}
          >
            <Trash2 size={16} aria-hidden /> Delete forever …{isHeld && <span className="menu-hint">on hold</span>}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}

export type TrashedFile = NonNullable<TrashPageQuery['files']>['edges'][number]['node']

interface TrashRowProps {
  readonly file: TrashedFile
  /** Null for people who may only view. */
  readonly onRestore: (() => void) | null
  /** Actions of administrators. */
  readonly choices: TrashChoices | null
}

/** A deleted file, and the day until which it can be restored. */
export function TrashRow({ file, onRestore, choices }: TrashRowProps) {
  const deletedAt = file.deletedAt ?? file.updatedAt
  // The clock of the browser may be behind the server's. The number of days left must not exceed the policy's.
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

/** Null means that the file is held and its time does not end. */
function wordLeft(days: number | null): string {
  if (days === null) return 'while held'
  if (days === 0) return 'time is over'
  return days === 1 ? '1 day left' : `${days} days left`
}

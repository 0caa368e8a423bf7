import { EllipsisVertical, FilePlus2, Info, Pencil, Trash2, Download, TriangleAlert } from 'lucide-react'
import { memo } from 'react'
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components/Menu'
import type { FileRowFragment } from '../apollo/operations.ts'
import { Button } from '../ui/Button.tsx'
import { Time } from '../ui/Time.tsx'
import { isolate, FileName, UserText } from '../ui/UserText.tsx'
import { formatBytes } from '../ui/formatBytes.ts'
import { FileBadges, FileIcon } from './FileBadges.tsx'
import { typeNameOf } from './typeNames.ts'

type Choice = (file: FileRowFragment) => void

export interface FileChoices {
  readonly onDetails: Choice
  readonly onDownload: Choice
  readonly onRename: Choice
  readonly onNewVersion: Choice
  readonly onDelete: Choice
}

interface FileMenuProps {
  readonly file: FileRowFragment
  readonly mayChange: boolean
  readonly choices: FileChoices
}

/** The actions on a file. People who cannot change files see only the actions that read. */
function FileMenu({ file, mayChange, choices }: FileMenuProps) {
  return (
    <MenuTrigger>
      <Button look="icon" aria-label={`More for ${isolate(file.name)}`}>
        <EllipsisVertical size={18} aria-hidden />
      </Button>
      <Popover className="menu-popover" placement="bottom end">
        <Menu className="menu" aria-label={file.name}>
          <MenuItem className="menu-item" textValue="Details" onAction={() => choices.onDetails(file)}>
            <Info size={16} aria-hidden /> Details
          </MenuItem>
          {mayChange && (
            <>
              <MenuItem className="menu-item" textValue="Rename" onAction={() => choices.onRename(file)}>
                <Pencil size={16} aria-hidden /> Rename …
              </MenuItem>
              <MenuItem
                className="menu-item"
                textValue="Upload a new version"
                onAction={() => choices.onNewVersion(file)}
              >
                <FilePlus2 size={16} aria-hidden /> Upload a new version …
              </MenuItem>
              <Separator className="menu-separator" />
              <MenuItem
                className="menu-item menu-item-danger"
                textValue="Delete"
                onAction={() => choices.onDelete(file)}
              >
                <Trash2 size={16} aria-hidden /> Delete
              </MenuItem>
            </>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}

/**
 * The cells of a file. On a narrow screen the first cell also shows the values of the other columns. Memoized, so that scrolling
 * renders only rows that come into view or have changed.
 */
export const FileRow = memo(function FileRow({
  file,
  mayChange,
  choices,
}: {
  file: FileRowFragment
  mayChange: boolean
  choices: FileChoices
}) {
  return (
    <>
      <div role="cell" className="file-name">
        <FileIcon contentType={file.contentType} />
        <div className="file-text">
          <button
            type="button"
            className="file-open"
            // Screen readers would put a space between the two parts of the name.
            aria-label={file.name}
            data-row-focus
            onClick={() => choices.onDetails(file)}
          >
            <FileName name={file.name} />
          </button>
          <FileBadges file={file} />
          <span className="file-summary soft">
            {typeNameOf(file.contentType, file.name)}
            <span className="file-summary-more">
              {' '}
              · {formatBytes(file.byteSize)} · <Time at={file.uploadedAt} />
            </span>
          </span>
        </div>
      </div>
      <div role="cell" className="cell-type ellipsis">
        {typeNameOf(file.contentType, file.name)}
      </div>
      <div role="cell" className="cell-size">
        {formatBytes(file.byteSize)}
      </div>
      <div role="cell" className="cell-who">
        <UserText>{file.uploadedBy.name}</UserText>
      </div>
      <div role="cell" className="cell-when">
        <Time at={file.uploadedAt} />
      </div>
      <div role="cell" className="cell-actions">
        {file.quarantinedAt ? (
          <Button
            look="icon"
            aria-label={`Damaged: ${isolate(file.name)}. See which version can be downloaded`}
            onPress={() => choices.onDetails(file)}
          >
            <TriangleAlert size={18} aria-hidden />
          </Button>
        ) : (
          <Button look="icon" aria-label={`Download ${isolate(file.name)}`} onPress={() => choices.onDownload(file)}>
            <Download size={18} aria-hidden />
          </Button>
        )}
        <FileMenu file={file} mayChange={mayChange} choices={choices} />
      </div>
    </>
  )
})

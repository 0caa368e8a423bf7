import { EllipsisVertical, FilePlus2, Info, Pencil, Trash2 } from 'lucide-react'
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components/Menu'
import type { FileRowFragment } from '../apollo/operations.ts'
import { Button } from '../ui/Button.tsx'
import { isolate } from '../ui/isolate.ts'

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

/** What can be done to a file. People who may only read see what only reads. */
export function FileMenu({ file, mayChange, choices }: FileMenuProps) {
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

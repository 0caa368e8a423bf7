import { EllipsisVertical, FilePlus2, Info, Pencil, Trash2 } from 'lucide-react'
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components/Menu'
import { Button } from '../ui/Button.tsx'
import type { FileChoices } from './FileRow.tsx'

/** What can be done to a file. People who may only read see what only reads. */
export function FileMenu({ name, mayChange, choices }: { name: string; mayChange: boolean; choices: FileChoices }) {
  return (
    <MenuTrigger>
      <Button look="icon" aria-label={`More for ${name}`}>
        <EllipsisVertical size={18} aria-hidden />
      </Button>
      <Popover className="menu-popover" placement="bottom end">
        <Menu className="menu" aria-label={name}>
          <MenuItem className="menu-item" textValue="Details" onAction={choices.onDetails}>
            <Info size={16} aria-hidden /> Details
          </MenuItem>
          {mayChange && (
            <>
              <MenuItem className="menu-item" textValue="Rename" onAction={choices.onRename}>
                <Pencil size={16} aria-hidden /> Rename …
              </MenuItem>
              <MenuItem className="menu-item" textValue="Upload a new version" onAction={choices.onNewVersion}>
                <FilePlus2 size={16} aria-hidden /> Upload a new version …
              </MenuItem>
              <Separator className="menu-separator" />
              <MenuItem className="menu-item menu-item-danger" textValue="Delete" onAction={choices.onDelete}>
                <Trash2 size={16} aria-hidden /> Delete
              </MenuItem>
            </>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}

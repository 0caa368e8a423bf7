import { EllipsisVertical, Lock, LockOpen, Trash2 } from 'lucide-react'
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components/Menu'
import { Button } from '../ui/Button.tsx'
import { isolate } from '../ui/isolate.ts'

export interface TrashChoices {
  readonly onHold: () => void
  readonly onRelease: () => void
  readonly onPurge: () => void
}

/** What administrators can do to a deleted file. One that is held cannot be deleted for good, and says so. */
export function TrashMenu({ name, isHeld, choices }: { name: string; isHeld: boolean; choices: TrashChoices }) {
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

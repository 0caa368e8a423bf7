import { ChevronDown, Files, FolderUp, Upload } from 'lucide-react'
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components/Menu'
import { useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { pickFiles, pickFolder } from './pickFiles.ts'
import { addFiles, addFolder } from './uploads.ts'

/** Chooses files to upload, or a folder of them. */
export function UploadButton() {
  const tenant = useTenant()
  const chooseFiles = async () => {
    const files = await pickFiles({ multiple: true })
    addFiles(
      tenant,
      files.map((bytes) => ({ bytes })),
    )
  }
  return (
    <div className="split-button">
      <Button look="primary" onPress={() => void chooseFiles()}>
        <Upload size={17} aria-hidden /> Upload
      </Button>
      <MenuTrigger>
        <Button look="primary" aria-label="Ways to upload">
          <ChevronDown size={17} aria-hidden />
        </Button>
        <Popover className="menu-popover" placement="bottom end">
          <Menu className="menu" aria-label="Ways to upload">
            <MenuItem className="menu-item" textValue="Files" onAction={() => void chooseFiles()}>
              <Files size={16} aria-hidden /> Files …
            </MenuItem>
            <MenuItem
              className="menu-item"
              textValue="Folder"
              onAction={() => void pickFolder().then((chosen) => addFolder(tenant, chosen))}
            >
              <FolderUp size={16} aria-hidden /> All files of a folder …
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
    </div>
  )
}

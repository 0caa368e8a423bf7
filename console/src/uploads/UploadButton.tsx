import { ChevronDown, Files, FolderUp, Upload } from 'lucide-react'
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components/Menu'
import { useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { isJunk } from './dropped.ts'
import type { ChosenFile } from './uploadWork.ts'
import { addFiles, addFolder } from './uploads.ts'

/** Opens the system's file chooser. Resolves with no files if it was closed. */
export function pickFiles({ multiple }: { multiple: boolean }): Promise<readonly File[]> {
  const input = document.createElement('input')
  input.multiple = multiple
  return pickWith(input)
}

/** Opens the system's folder chooser. Resolves with all files below the folder and the number of system files. */
async function pickFolder(): Promise<{ files: readonly ChosenFile[]; junk: number }> {
  const input = document.createElement('input')
  input.webkitdirectory = true
  const all = await pickWith(input)
  const wanted = all.filter(({ webkitRelativePath }) => !webkitRelativePath.split('/').some(isJunk))
  const files = wanted.map((bytes) => ({ bytes, folder: bytes.webkitRelativePath.split('/').slice(0, -1).join('/') }))
  return { files, junk: all.length - files.length }
}

function pickWith(input: HTMLInputElement): Promise<readonly File[]> {
  return new Promise((resolve) => {
    input.type = 'file'
    input.addEventListener('change', () => resolve(Array.from(input.files ?? [])), { once: true })
    input.addEventListener('cancel', () => resolve([]), { once: true })
    input.click()
  })
}

/** Chooses files or a folder to upload. */
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

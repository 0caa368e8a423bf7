import { isJunk } from './dropped.ts'
import type { ChosenFile } from './uploadWork.ts'

/** Opens the system's file chooser; resolves with nothing if it was closed. */
export function pickFiles({ multiple }: { multiple: boolean }): Promise<readonly File[]> {
  const input = document.createElement('input')
  input.multiple = multiple
  return pickWith(input)
}

/** Opens the system's folder chooser; resolves with all files below the folder, and how many were junk. */
export async function pickFolder(): Promise<{ files: readonly ChosenFile[]; junk: number }> {
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

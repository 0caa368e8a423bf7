import type { ChosenFile } from './uploadWork.ts'

/** Dropped or pasted files, and folders that are not read yet. */
export interface Dropped {
  readonly files: readonly ChosenFile[]
  readonly folders: readonly FileSystemDirectoryEntry[]
}

/** Must be called while the event is handled: browsers empty the transfer right after it. */
export function takeDropped(transfer: DataTransfer | null): Dropped {
  const files: ChosenFile[] = []
  const folders: FileSystemDirectoryEntry[] = []
  for (const item of Array.from(transfer?.items ?? [])) {
    if (item.kind !== 'file') continue
    const entry = item.webkitGetAsEntry()
    const bytes = isFolder(entry) ? null : item.getAsFile()
    if (isFolder(entry)) folders.push(entry)
    else if (bytes) files.push({ bytes })
  }
  return { files, folders }
}

const isFolder = (entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry => entry?.isDirectory === true

/**
 * Stops the browser from opening a file or a link that is dropped where nothing accepts it. Links can still be dropped into text
 * fields.
 */
export function refuseStrayDrops(): void {
  const refuse = (event: DragEvent) => {
    const isLink = event.dataTransfer?.types.includes('text/uri-list') && !isEditable(event.target)
    if (!carriesFiles(event) && !isLink) return
    event.preventDefault()
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'none'
  }
  window.addEventListener('dragover', refuse)
  window.addEventListener('drop', refuse)
}

export const carriesFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') === true

export const isEditable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea'))

/** Files that operating systems add to folders. They are not uploaded. */
const junk = /^(\._.*|\.DS_Store|\.localized|Icon\r|(eh)?thumbs(_vista)?\.db|desktop\.ini|__MACOSX|\$RECYCLE\.BIN)$/i

export const isJunk = (name: string): boolean => junk.test(name)

/** Deeper than any real folder. A reader that gets there follows a cyclic link. */
const deepestFolder = 64

export interface FolderReport {
  /** Called for each batch, so that sending starts before everything is read. */
  readonly onFiles: (files: readonly ChosenFile[]) => void
  readonly onJunk: (count: number) => void
  readonly onEmptyFolder: () => void
  readonly onUnreadable: (path: string) => void
}

/** Reads folders and everything below them. Reports what cannot be read, and continues. */
export async function readFolders(
  folders: readonly FileSystemDirectoryEntry[],
  report: FolderReport,
  signal: AbortSignal,
): Promise<void> {
  const left = folders.toReversed()
  for (let folder = left.pop(); folder && !signal.aborted; folder = left.pop()) {
    left.push(...(await readFolder(folder, report, signal)).toReversed())
  }
}

/** Reports the files of one folder, and returns the folders in it. */
async function readFolder(folder: FileSystemDirectoryEntry, report: FolderReport, signal: AbortSignal) {
  const subfolders: FileSystemDirectoryEntry[] = []
  const reader = folder.createReader()
  let entries = 0
  while (!signal.aborted) {
    // Chromium returns at most 100 entries at a time. Only an empty batch is the end.
    const batch = await readBatch(reader).catch(() => null)
    if (batch === null) report.onUnreadable(pathOf(folder))
    if (!batch?.length) break
    entries += batch.length
    const wanted = batch.filter(({ name }) => !isJunk(name))
    if (wanted.length < batch.length) report.onJunk(batch.length - wanted.length)
    for (const entry of wanted.filter(isFolder)) {
      if (depthOf(entry) > deepestFolder) report.onUnreadable(pathOf(entry))
      else subfolders.push(entry)
    }
    const read = await Promise.all(wanted.filter(isFile).map((entry) => fileOf(entry, report)))
    report.onFiles(read.filter((file) => file !== null))
  }
  if (entries === 0 && !signal.aborted) report.onEmptyFolder()
  return subfolders
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile

const readBatch = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject))

async function fileOf(entry: FileSystemFileEntry, report: FolderReport): Promise<ChosenFile | null> {
  const bytes = await new Promise<File>((resolve, reject) => entry.file(resolve, reject)).catch(() => null)
  if (bytes === null) report.onUnreadable(pathOf(entry))
  return bytes && { bytes, folder: pathOf(entry).split('/').slice(0, -1).join('/') }
}

/** The path below the dropped folder: "Photos/2026/beach.jpg". */
const pathOf = ({ fullPath }: FileSystemEntry): string => fullPath.replace(/^\/+/, '')

const depthOf = (entry: FileSystemEntry): number => pathOf(entry).split('/').length

import { pickFiles } from '../uploads/UploadButton.tsx'
import { declaredType, essenceOf } from '../uploads/declaredType.ts'

interface CurrentFile {
  readonly id: string
  readonly name: string
  readonly contentType: string
}

/** A file that was chosen as the next version of another. */
export interface ChosenVersion {
  readonly file: CurrentFile
  readonly bytes: File
  /** The media types, if they differ. */
  readonly contentType: { readonly now: string; readonly next: string } | null
}

/** Null if nothing was chosen. */
export async function chooseVersion(file: CurrentFile): Promise<ChosenVersion | null> {
  const [bytes] = await pickFiles({ multiple: false })
  return bytes ? compareVersion(file, bytes) : null
}

function compareVersion(file: CurrentFile, bytes: File): ChosenVersion {
  const types = { now: essenceOf(file.contentType), next: essenceOf(declaredType(bytes)) }
  // The browser derives the type from the extension. The same extension is the same type, even if the server has stored another name of it.
  const isOther = extensionOf(bytes.name) !== extensionOf(file.name) && types.next !== '' && types.next !== types.now
  return { file, bytes, contentType: isOther ? types : null }
}

const extensionOf = (name: string): string => /\.[^.]*$/.exec(name)?.[0].toLowerCase() ?? ''

/** Whether the name and the type stay the same. macOS decomposes names (NFD), which does not count as another name. */
export const isSameKind = ({ file, bytes, contentType }: ChosenVersion): boolean =>
  contentType === null && bytes.name.normalize('NFC') === file.name.normalize('NFC')

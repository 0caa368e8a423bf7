import { InUseDialog } from '../attachments/InUseDialog.tsx'
import { HeldDialog } from '../holds/HeldDialog.tsx'
import type { FileKept } from './fileKept.ts'

interface KeptDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  readonly why: FileKept
  readonly onDetails: () => void
  readonly onClose: () => void
}

/** Why a file could not be deleted. */
export function KeptDialog({ file, why, onDetails, onClose }: KeptDialogProps) {
  return why.users ? (
    <InUseDialog name={file.name} users={why.users} onDetails={onDetails} onClose={onClose} />
  ) : (
    <HeldDialog file={file} message={why.message} onClose={onClose} />
  )
}

import { useQuery } from '@apollo/client/react'
import { FileNowDocument } from '../apollo/operations.ts'
import { AttachmentList } from '../attachments/UsedBy.tsx'
import { HoldFacts } from '../holds/HoldSection.tsx'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { UserText } from '../ui/UserText.tsx'
import { formatCount } from '../ui/formatBytes.ts'
import type { Users, FileKept } from './changeFiles.ts'

/** More users would push the buttons out of view. */
const shownUsers = 5

interface InUseDialogProps {
  readonly name: string
  readonly users: Users
  readonly onDetails: () => void
  readonly onClose: () => void
}

/** Says that a file was not deleted because it is in use. */
export function InUseDialog({ name, users, onDetails, onClose }: InUseDialogProps) {
  const shown = users.attachments.slice(0, shownUsers)
  const more = users.attachmentCount - shown.length
  return (
    <Dialog title="This file is in use" onClose={onClose} isAlert>
      <p>
        <strong>
          <UserText wrap>{name}</UserText>
        </strong>{' '}
        was not deleted. It can be deleted once the applications that use it have detached it:
      </p>
      <AttachmentList attachments={shown} />
      {more > 0 && <p className="soft">and {formatCount(more)} more</p>}
      <div className="dialog-actions">
        <Button onPress={onDetails}>Show details</Button>
        <Button look="primary" onPress={onClose} autoFocus>
          Close
        </Button>
      </div>
    </Dialog>
  )
}

interface HeldDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  /** The message of the API. */
  readonly message: string
  readonly onClose: () => void
}

/** Says that a file was not deleted because it is held. */
export function HeldDialog({ file, message, onClose }: HeldDialogProps) {
  const { data } = useQuery(FileNowDocument, { variables: { id: file.id }, fetchPolicy: 'network-only' })
  const hold = data?.file?.hold
  return (
    <Dialog title={hold ? 'This file is under legal hold' : 'This file was not deleted'} onClose={onClose} isAlert>
      <p>
        <strong>
          <UserText wrap>{file.name}</UserText>
        </strong>{' '}
        was not deleted. {hold ? 'It can be deleted once an administrator has released it.' : message}
      </p>
      {hold && <HoldFacts hold={hold} />}
      <div className="dialog-actions">
        <Button look="primary" onPress={onClose} autoFocus>
          Close
        </Button>
      </div>
    </Dialog>
  )
}

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

import type { Users } from '../files/fileKept.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { formatCount } from '../ui/formatBytes.ts'
import { UserText } from '../ui/UserText.tsx'
import { AttachmentList } from './AttachmentList.tsx'

/** More would push what can be done about it out of sight. */
const shownUsers = 5

interface InUseDialogProps {
  readonly name: string
  readonly users: Users
  readonly onDetails: () => void
  readonly onClose: () => void
}

/** A file was to be deleted that others still need. */
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

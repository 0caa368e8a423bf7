import { useQuery } from '@apollo/client/react'
import { FileNowDocument } from '../apollo/operations.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { UserText } from '../ui/UserText.tsx'
import { HoldFacts } from './HoldFacts.tsx'

interface HeldDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  /** What the API said. */
  readonly message: string
  readonly onClose: () => void
}

/** A file was to be deleted that has to stay. */
export function HeldDialog({ file, message, onClose }: HeldDialogProps) {
  const { data } = useQuery(FileNowDocument, { variables: { id: file.id }, fetchPolicy: 'network-only' })
  const hold = data?.file?.hold
  return (
    <Dialog title={hold ? 'This file is under legal hold' : 'This file stays'} onClose={onClose} isAlert>
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

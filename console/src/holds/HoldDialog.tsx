import { useApolloClient } from '@apollo/client/react'
import { type SubmitEvent, useState } from 'react'
import { TextArea } from 'react-aria-components/TextArea'
import { FieldError, Label, TextField } from 'react-aria-components/TextField'
import { wordFailure } from '../apollo/takeSuccess.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { UserText } from '../ui/UserText.tsx'
import { holdFile } from './changeHold.ts'

interface HoldDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  readonly onClose: () => void
}

/** The reason is required: people who look at the hold later have to know when it may end. */
export function HoldDialog({ file, onClose }: HoldDialogProps) {
  const client = useApolloClient()
  const [reason, setReason] = useState('')
  const [failure, setFailure] = useState<string | null>(null)
  const [isPending, setPending] = useState(false)

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    setPending(true)
    await holdFile(client, file.id, reason).then(onClose, (error: unknown) => setFailure(wordFailure(error)))
    setPending(false)
  }

  return (
    <Dialog title="Put under legal hold" onClose={onClose}>
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <p>
          Nobody can delete{' '}
          <strong>
            <UserText wrap>{file.name}</UserText>
          </strong>{' '}
          until an administrator releases it, and nothing purges it.
        </p>
        <TextField
          className="field"
          value={reason}
          onChange={(text) => {
            setReason(text)
            setFailure(null)
          }}
          isInvalid={failure !== null}
          autoFocus
        >
          <Label>Reason</Label>
          <TextArea className="input textarea" dir="auto" rows={3} maxLength={500} />
          <FieldError className="field-error">{failure}</FieldError>
        </TextField>
        <div className="dialog-actions">
          <Button onPress={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isPending={isPending} isDisabled={reason.trim() === ''}>
            Hold
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

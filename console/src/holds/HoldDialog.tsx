import type { ApolloClient } from '@apollo/client'
import { useApolloClient } from '@apollo/client/react'
import { type SubmitEvent, useState } from 'react'
import { TextArea } from 'react-aria-components/TextArea'
import { FieldError, Label, TextField } from 'react-aria-components/TextField'
import { HoldFileDocument, ReleaseFileDocument } from '../apollo/operations.ts'
import { takeSuccess, wordFailure } from '../apollo/takeSuccess.ts'
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { UserText } from '../ui/UserText.tsx'

export async function holdFile(client: ApolloClient, id: string, reason: string): Promise<void> {
  const { data } = await client.mutate({ mutation: HoldFileDocument, variables: { input: { id, reason } } })
  takeSuccess(data?.holdFile, 'file')
}

export async function releaseFile(client: ApolloClient, id: string): Promise<void> {
  const { data } = await client.mutate({ mutation: ReleaseFileDocument, variables: { input: { id } } })
  takeSuccess(data?.releaseFile, 'file')
}

interface HoldDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  readonly onClose: () => void
}

/** The reason is required. It tells people later whether the hold can end. */
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

interface ReleaseDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  readonly isInTrash?: boolean
  readonly onClose: () => void
}

/** Asks for confirmation before a hold is released. */
export function ReleaseDialog({ file, isInTrash = false, onClose }: ReleaseDialogProps) {
  const client = useApolloClient()
  return (
    <ConfirmDialog
      title="Release from legal hold?"
      verb="Release"
      run={() => releaseFile(client, file.id)}
      onClose={onClose}
    >
      <p>
        <strong>
          <UserText wrap>{file.name}</UserText>
        </strong>{' '}
        {isInTrash
          ? 'will be deleted forever when its time in the trash is over. That may be soon.'
          : 'can be deleted again then.'}
      </p>
    </ConfirmDialog>
  )
}

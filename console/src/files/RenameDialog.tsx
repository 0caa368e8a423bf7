import { useApolloClient } from '@apollo/client/react'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { FieldError, Input, Label, TextField } from 'react-aria-components/TextField'
import { wordFailure } from '../apollo/takeSuccess.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { renameFile } from './changeFiles.ts'

interface RenameDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  readonly onClose: () => void
}

export function RenameDialog({ file, onClose }: RenameDialogProps) {
  const client = useApolloClient()
  const [name, setName] = useState(file.name)
  const [failure, setFailure] = useState<string | null>(null)
  const [isPending, setPending] = useState(false)

  const input = useRef<HTMLInputElement>(null)
  useEffect(() => selectStem(input.current), [])

  async function submit(event: SubmitEvent) {
    event.preventDefault()
    if (name === file.name) return onClose()
    setPending(true)
    await renameFile(client, file.id, name).then(onClose, (error: unknown) => setFailure(wordFailure(error)))
    setPending(false)
  }

  return (
    <Dialog title="Rename file" onClose={onClose}>
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <TextField
          className="field"
          value={name}
          onChange={(text) => {
            setName(text)
            setFailure(null)
          }}
          isInvalid={failure !== null}
        >
          <Label>Name</Label>
          <Input className="input" ref={input} dir="auto" autoComplete="off" />
          <FieldError className="field-error">{failure}</FieldError>
        </TextField>
        <div className="dialog-actions">
          <Button onPress={onClose}>Cancel</Button>
          <Button look="primary" type="submit" isPending={isPending} isDisabled={name.trim() === ''}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Selects the name without its ending, because people rarely change the ending. */
function selectStem(input: HTMLInputElement | null): void {
  if (!input) return
  const end = input.value.lastIndexOf('.')
  input.focus()
  input.setSelectionRange(0, end > 0 ? end : input.value.length)
}

import { type ReactNode, useState } from 'react'
import { wordFailure } from '../apollo/takeSuccess.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'

interface ConfirmDialogProps {
  readonly title: string
  /** The label of the button. */
  readonly verb: string
  /** True if it cannot be undone. */
  readonly isDangerous?: boolean
  /** The dialog closes when this resolves, and shows the error if it rejects. */
  readonly run: () => Promise<unknown>
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Asks for confirmation. The focus is on Cancel. */
export function ConfirmDialog({ title, verb, isDangerous = false, run, onClose, children }: ConfirmDialogProps) {
  const [failure, setFailure] = useState<string | null>(null)
  const [isPending, setPending] = useState(false)

  async function confirm() {
    setPending(true)
    setFailure(null)
    await run().then(onClose, (error: unknown) => setFailure(wordFailure(error)))
    setPending(false)
  }

  return (
    <Dialog title={title} onClose={onClose} isAlert>
      {children}
      {failure && (
        <p className="field-error" role="alert">
          {failure}
        </p>
      )}
      <div className="dialog-actions">
        <Button onPress={onClose} autoFocus>
          Cancel
        </Button>
        <Button look={isDangerous ? 'danger' : 'primary'} onPress={() => void confirm()} isPending={isPending}>
          {verb}
        </Button>
      </div>
    </Dialog>
  )
}

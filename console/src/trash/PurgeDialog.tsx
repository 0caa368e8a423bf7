import { useApolloClient } from '@apollo/client/react'
import { purgeFile } from '../files/changeFiles.ts'
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx'
import { useTenant } from '../shell/useShell.ts'
import { UserText } from '../ui/UserText.tsx'

interface PurgeDialogProps {
  readonly file: { readonly id: string; readonly name: string; readonly version: { readonly number: number } }
  readonly onClose: () => void
}

/** Asks for confirmation before a file is deleted forever. */
export function PurgeDialog({ file, onClose }: PurgeDialogProps) {
  const client = useApolloClient()
  const tenant = useTenant()
  return (
    <ConfirmDialog
      title="Delete forever?"
      verb="Delete forever"
      isDangerous
      run={() => purgeFile(client, tenant, file.id)}
      onClose={onClose}
    >
      <p>
        <strong>
          <UserText wrap>{file.name}</UserText>
        </strong>{' '}
        {file.version.number > 1 && <>and all of its {file.version.number} versions </>}
        will be deleted, and the bytes soon after. This cannot be undone: nobody can restore it, neither here nor from
        the bucket.
      </p>
    </ConfirmDialog>
  )
}

import { useApolloClient } from '@apollo/client/react'
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx'
import { UserText } from '../ui/UserText.tsx'
import { releaseFile } from './changeHold.ts'

interface ReleaseDialogProps {
  readonly file: { readonly id: string; readonly name: string }
  readonly isInTrash?: boolean
  readonly onClose: () => void
}

/** The end of a hold. */
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

import { TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { UserText } from '../ui/UserText.tsx'
import { addFiles } from '../uploads/uploads.ts'
import type { ChosenVersion } from './newVersion.ts'

interface NewVersionDialogProps {
  readonly version: ChosenVersion
  readonly onClose: () => void
}

/** Asks which name a new version gets, and warns if its type differs. Default: the current name of the file. */
export function NewVersionDialog({ version: { file, bytes, contentType }, onClose }: NewVersionDialogProps) {
  const tenant = useTenant()
  const [name, setName] = useState(file.name)
  const names = [...new Set([file.name, bytes.name])]
  const upload = () => {
    addFiles(tenant, [{ bytes, name, fileId: file.id }])
    onClose()
  }
  return (
    <Dialog title="Upload a new version" onClose={onClose}>
      {contentType && (
        <div className="alarm" role="alert">
          <TriangleAlert size={20} aria-hidden />
          <p>
            <strong>The new version is of another type.</strong> The file is {contentType.now} now, and becomes{' '}
            {contentType.next}. Programs that use the file may be unable to read it.
          </p>
        </div>
      )}
      {names.length > 1 ? (
        <fieldset className="choices">
          <legend>Which name should the file have?</legend>
          {names.map((each, at) => (
            <label key={each}>
              <input type="radio" name="name" checked={each === name} onChange={() => setName(each)} />
              <span>
                {at === 0 ? 'Keep ' : 'Rename to '}
                <UserText wrap>{each}</UserText>
              </span>
            </label>
          ))}
        </fieldset>
      ) : (
        <p>
          <UserText wrap>{file.name}</UserText>
        </p>
      )}
      <div className="dialog-actions">
        <Button onPress={onClose}>Cancel</Button>
        <Button look="primary" onPress={upload}>
          Upload
        </Button>
      </div>
    </Dialog>
  )
}

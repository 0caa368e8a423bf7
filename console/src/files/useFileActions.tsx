import { useApolloClient } from '@apollo/client/react'
import { wordFailure } from '../apollo/takeSuccess.ts'
import { useTenant } from '../shell/useShell.ts'
import { say } from '../ui/say.ts'
import { UserText } from '../ui/UserText.tsx'
import { addFiles } from '../uploads/uploads.ts'
import { deleteFile, downloadFile, restoreFile } from './changeFiles.ts'
import { FileKept } from './fileKept.ts'
import { type ChosenVersion, chooseVersion, isSameKind } from './newVersion.ts'

interface Named {
  readonly id: string
  readonly name: string
}

/** A file that could not be deleted, and why. */
export interface Kept {
  readonly file: Named
  readonly why: FileKept
}

/** What can be done to a file without asking further; what goes wrong is said in passing. */
export function useFileActions() {
  const client = useApolloClient()
  const tenant = useTenant()
  const complain = (error: unknown) => say(wordFailure(error))

  const restore = ({ id, name }: Named) =>
    restoreFile(client, id).then(() => say(<About verb="Restored" name={name} />), complain)

  /** `onKept` shows who uses or holds the file: that is more than can be said in passing. */
  const remove = (file: Named, onKept: (kept: Kept) => void) =>
    deleteFile(client, file.id).then(
      () => say(<About verb="Deleted" name={file.name} />, { label: 'Undo', run: () => void restore(file) }),
      (error: unknown) => (error instanceof FileKept ? onKept({ file, why: error }) : complain(error)),
    )

  return {
    restore,
    remove,
    download: ({ id }: Named) => downloadFile(client, id).catch(complain),
    /** The file keeps its name. `onDifferent` asks if the chosen one has another name or type. */
    async uploadVersion(file: Named & { readonly contentType: string }, onDifferent: (version: ChosenVersion) => void) {
      const version = await chooseVersion(file)
      if (!version) return
      if (isSameKind(version)) addFiles(tenant, [{ bytes: version.bytes, name: file.name, fileId: file.id }])
      else onDifferent(version)
    },
  }
}

function About({ verb, name }: { verb: string; name: string }) {
  return (
    <>
      {verb} <UserText>{name}</UserText>
    </>
  )
}

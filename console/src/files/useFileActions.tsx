import { useApolloClient } from '@apollo/client/react'
import { useNavigate } from 'react-router'
import { RefusedError, wordFailure } from '../apollo/takeSuccess.ts'
import { paths, readFilesState } from '../paths.ts'
import { useTenant } from '../shell/useShell.ts'
import { FileName } from '../ui/UserText.tsx'
import { say } from '../ui/say.ts'
import { addFiles } from '../uploads/uploads.ts'
import { deleteFile, renewFile, restoreFile, FileKept } from './changeFiles.ts'
import { DownloadFailed, downloadFile, type DownloadObstacle } from './downloadFile.ts'
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

/** Actions on a file that need no dialog. A message reports a failure. */
export function useFileActions() {
  const client = useApolloClient()
  const tenant = useTenant()
  const navigate = useNavigate()
  const complain = (name: string) => (error: unknown) => say(<Told name={name}>{wordFailure(error)}</Told>)

  const restore = ({ id, name }: Named) =>
    restoreFile(client, id).then(
      () => say(<About verb="Restored" name={name} />),
      (error: unknown) =>
        isNotFound(error)
          ? say(<Told name={name}>It was deleted forever and cannot be restored.</Told>)
          : complain(name)(error),
    )

  /** `onKept` opens the dialog that shows who uses or holds the file. */
  const remove = (file: Named, onKept: (kept: Kept) => void) =>
    deleteFile(client, file.id).then(
      () =>
        say(<About verb="Deleted" name={file.name} />, {
          label: 'Undo',
          subject: file.id,
          run: () => void restore(file),
        }),
      (error: unknown) => (error instanceof FileKept ? onKept({ file, why: error }) : complain(file.name)(error)),
    )

  /** Default: the current version. */
  const download = (file: Named, version?: number): Promise<void> => {
    const tell = (words: string) =>
      say(<Told name={file.name}>{words}</Told>, {
        label: 'Try again',
        subject: file.id,
        run: () => void download(file, version),
      })
    return downloadFile(client, { id: file.id, version }, () => tell(downloadWords.unavailable)).catch(
      (error: unknown) => {
        if (isQuarantined(error)) tellDamaged(file)
        else tell(error instanceof DownloadFailed ? downloadWords[error.obstacle] : wordFailure(error))
      },
    )
  }

  /** For damage that was found after the list was loaded. The details offer another version if there is one. */
  const tellDamaged = ({ id, name }: Named) => {
    void renewFile(client, id)
    say(<Told name={name}>Its stored bytes no longer match what was uploaded, or are missing.</Told>, {
      label: 'Show versions',
      subject: id,
      run: () => {
        const state = readFilesState(new URLSearchParams(location.search))
        void navigate(paths.files(tenant, { ...state, file: id }))
      },
    })
  }

  return {
    restore,
    remove,
    download,
    /** The file keeps its name. `onDifferent` opens a dialog if the chosen file has another name or type. */
    async uploadVersion(file: Named & { readonly contentType: string }, onDifferent: (version: ChosenVersion) => void) {
      const version = await chooseVersion(file)
      if (!version) return
      if (isSameKind(version)) addFiles(tenant, [{ bytes: version.bytes, name: file.name, fileId: file.id }])
      else onDifferent(version)
    },
  }
}

const isQuarantined = (error: unknown) => error instanceof RefusedError && error.refusal.reason === 'QUARANTINED'

const isNotFound = (error: unknown) => error instanceof RefusedError && error.refusal.code === 'NOT_FOUND'

const downloadWords: Record<DownloadObstacle, string> = {
  missing: 'It could not be downloaded, because its bytes are missing from the storage. Ask your administrator.',
  refused: 'It could not be downloaded, because the storage refused the request. Ask your administrator.',
  unavailable: 'It could not be downloaded, because the storage failed. Try again in a moment.',
  offline: 'It could not be downloaded, because you are offline. Check your connection, then try again.',
}

function About({ verb, name }: { verb: string; name: string }) {
  return (
    <>
      {verb} <FileName name={name} />
    </>
  )
}

/** A message about a file, with its name. */
function Told({ name, children }: { name: string; children: string }) {
  return (
    <>
      <FileName name={name} />: {children}
    </>
  )
}

import { useSyncExternalStore } from 'react'
import { Button } from '../ui/Button.tsx'
import { formatCount } from '../ui/formatBytes.ts'
import { UserText } from '../ui/UserText.tsx'
import { wordFiles } from './wordUploads.ts'
import { uploads } from './uploads.ts'
import type { FailureGroup, FolderNotes, Pause } from './uploadStore.ts'

const { store } = uploads

/** The number of reasons that are shown. The others are summed up. */
const shownReasons = 4
const shownNames = 3

/** Notes on all uploads together: why they wait, what failed and why, and what was found in folders. */
export function UploadNotes({ tenant, failures }: { tenant: string; failures: readonly FailureGroup[] }) {
  const pause = useSyncExternalStore(store.subscribe, store.pause)
  const notes = useSyncExternalStore(store.subscribe, () => store.notes(tenant))
  const rest = failures.slice(shownReasons).flatMap(({ ids }) => ids)
  if (!pause && !notes && failures.length === 0) return null
  return (
    <div className="uploads-notes">
      {pause && <PauseNote pause={pause} />}
      {failures.slice(0, shownReasons).map((group) => (
        <Failure key={group.reason} {...group} />
      ))}
      {rest.length > 0 && <Failure reason="They failed for various other reasons." ids={rest} isMistyped={false} />}
      {notes && <FolderNote {...notes} />}
    </div>
  )
}

const pauseWords: Record<Pause, string> = {
  'signed-out': 'Your session has ended. Sign in again to continue the uploads.',
  leaving: 'Signing out …',
  busy: 'The server asks to slow down. The uploads continue in a few seconds.',
  unreachable: 'No answer from the server. The other files wait.',
}

function PauseNote({ pause }: { pause: Pause }) {
  return (
    <div className="uploads-note" role="alert">
      <p>{pauseWords[pause]}</p>
      {pause === 'unreachable' && <Button onPress={() => uploads.resume()}>Continue</Button>}
    </div>
  )
}

/** The files that failed for one reason, with an action that fits the reason. */
function Failure({ reason, ids, isMistyped }: FailureGroup) {
  const names = ids.slice(0, shownNames).map((id) => store.read(id)?.name ?? '')
  const more = ids.length - names.length
  return (
    <div className="uploads-note uploads-failure">
      <div>
        <p className="field-error">{reason}</p>
        <ul>
          {names.map((name, at) => (
            <li key={ids[at]}>
              <UserText>{name}</UserText>
            </li>
          ))}
          {more > 0 && <li>and {formatCount(more)} more</li>}
        </ul>
      </div>
      {isMistyped ? (
        <Button onPress={() => uploads.retry(ids)}>Use the real type</Button>
      ) : (
        <Button aria-label={`Try ${wordFiles(ids.length)} again`} onPress={() => uploads.retry(ids)}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** Says that a dropped tree becomes a flat list, because Filegraph has no folders yet. */
function FolderNote({ isReading, files, junk, emptyFolders, unreadable }: FolderNotes) {
  const names = unreadable.slice(0, shownNames)
  return (
    <div className="uploads-note">
      <div>
        <p>
          {isReading ? 'Reading folders. ' : ''}
          {files > 0 && `${wordFiles(files)} from folders. Folders are not kept: the files are listed side by side.`}
          {files === 0 && !isReading && 'There were no files in the folders.'}
        </p>
        {junk > 0 && <p className="soft">Left out: {wordCount(junk, 'system file', 'system files')}.</p>}
        {emptyFolders > 0 && (
          <p className="soft">Left out: {wordCount(emptyFolders, 'empty folder', 'empty folders')}.</p>
        )}
        {names.length > 0 && (
          <>
            <p className="field-error">
              {wordCount(unreadable.length, 'item', 'items')} could not be read. Check the permissions, then drop again:
            </p>
            <ul>
              {names.map((name) => (
                <li key={name}>
                  <UserText>{name}</UserText>
                </li>
              ))}
              {unreadable.length > names.length && <li>and {formatCount(unreadable.length - names.length)} more</li>}
            </ul>
          </>
        )}
      </div>
    </div>
  )
}

const wordCount = (count: number, one: string, many: string) => `${formatCount(count)} ${count === 1 ? one : many}`

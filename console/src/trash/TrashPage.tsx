import { Trash2 } from 'lucide-react'
import { Suspense, useState } from 'react'
import {
  FileRowFragmentDoc,
  MoreTrashDocument,
  type MoreTrashQuery,
  TrashPageDocument,
  type TrashPageQuery,
} from '../apollo/operations.ts'
import { useFileActions } from '../files/useFileActions.tsx'
import { PagedTable } from '../lists/PagedTable.tsx'
import { useList } from '../lists/useList.ts'
import { useMay } from '../shell/useShell.ts'
import { Notice } from '../ui/Notice.tsx'
import { lazyPart } from '../ui/lazyPart.ts'
import { TrashRow, type TrashedFile } from './TrashRow.tsx'
import '../files/files.css'
import './trash.css'

const HoldDialog = lazyPart(() => import('../holds/HoldDialog.tsx').then((part) => part.HoldDialog))
const ReleaseDialog = lazyPart(() => import('../holds/HoldDialog.tsx').then((part) => part.ReleaseDialog))
const PurgeDialog = lazyPart(() => import('./PurgeDialog.tsx').then((part) => part.PurgeDialog))

const trash = {
  first: TrashPageDocument,
  query: MoreTrashDocument,
  variables: { filter: { state: 'TRASHED' } },
  field: 'files',
  pageOf: ({ files }: TrashPageQuery | MoreTrashQuery) => files,
  row: { fragment: FileRowFragmentDoc, name: 'FileRow' },
} as const

/** The open dialog and its file. */
interface Question {
  readonly what: 'hold' | 'release' | 'purge'
  readonly file: TrashedFile
}

export function TrashPage() {
  const mayChange = useMay('MEMBER')
  const maySettle = useMay('ADMIN')
  const { restore } = useFileActions()
  const [question, setQuestion] = useState<Question | null>(null)
  const files = useList(trash)
  const days = files.data?.viewer?.tenant.policy.trashDays ?? 0

  return (
    <>
      <title>Trash · Filegraph</title>
      <div className="page-head">
        <h1>Trash</h1>
        {files.data && <p className="soft">Deleted files stay here for {wordDays(days)}.</p>}
      </div>
      <PagedTable
        list={files}
        label="Trash"
        className="trash"
        columns={['Name', 'Deleted by', 'Deleted', 'Restorable until', 'Actions']}
        what={['file', 'files']}
        empty={
          <Notice icon={Trash2} title="The trash is empty">
            <p>Deleted files can be restored from here for {wordDays(days)}.</p>
          </Notice>
        }
        end="End of the list."
        renderRow={(file) => {
          const choices = {
            onHold: () => setQuestion({ what: 'hold', file }),
            onRelease: () => setQuestion({ what: 'release', file }),
            onPurge: () => setQuestion({ what: 'purge', file }),
          }
          return (
            <TrashRow
              file={file}
              onRestore={mayChange ? () => void restore(file) : null}
              choices={maySettle ? choices : null}
            />
          )
        }}
      />
      <Suspense>{question && <Ask {...question} onClose={() => setQuestion(null)} />}</Suspense>
    </>
  )
}

function Ask({ what, file, onClose }: Question & { onClose: () => void }) {
  if (what === 'purge') return <PurgeDialog file={file} onClose={onClose} />
  if (what === 'hold') return <HoldDialog file={file} onClose={onClose} />
  return <ReleaseDialog file={file} isInTrash onClose={onClose} />
}

const wordDays = (days: number) => (days === 1 ? '1 day' : `${days} days`)

import { FileSearch, FolderOpen } from 'lucide-react'
import { Suspense, useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import {
  type FileFilter,
  type FileRowFragment,
  FileRowFragmentDoc,
  FilesPageDocument,
  type FilesPageQuery,
  MoreFilesDocument,
  type MoreFilesQuery,
} from '../apollo/operations.ts'
import { PagedTable } from '../lists/PagedTable.tsx'
import { useList } from '../lists/useList.ts'
import { type FilesState, paths, readFilesState } from '../paths.ts'
import { PersonFilter } from '../people/PersonFilter.tsx'
import { useMay, useTenant } from '../shell/useShell.ts'
import { Notice } from '../ui/Notice.tsx'
import { lazyPart } from '../ui/lazyPart.ts'
import { useStable } from '../ui/useStable.ts'
import { UploadButton } from '../uploads/UploadButton.tsx'
import { useCatchUp } from '../uploads/arrivals.ts'
import { type FileChoices, FileRow } from './FileRow.tsx'
import type { ChosenVersion } from './newVersion.ts'
import { typeGroups, prefixOf } from './typeNames.ts'
import { type Kept, useFileActions } from './useFileActions.tsx'
import './files.css'

interface FileFiltersProps {
  readonly state: FilesState
  readonly onChange: (state: FilesState) => void
}

function FileFilters({ state, onChange }: FileFiltersProps) {
  return (
    <div className="page-tools" role="group" aria-label="Filters">
      <select
        className="select"
        aria-label="Type"
        value={state.type ?? ''}
        onChange={({ target }) => onChange({ ...state, type: target.value })}
      >
        <option value="">All types</option>
        {typeGroups.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </select>
      <PersonFilter
        label="Uploaded by"
        placeholder="Uploaded by anybody"
        id={state.by}
        onChange={(by) => onChange({ ...state, by })}
      />
    </div>
  )
}

const FileDetails = lazyPart(() => import('./FileDetails.tsx').then((part) => part.FileDetails))
const KeptDialog = lazyPart(() => import('./KeptDialog.tsx').then((part) => part.KeptDialog))
const NewVersionDialog = lazyPart(() => import('./NewVersionDialog.tsx').then((part) => part.NewVersionDialog))
const RenameDialog = lazyPart(() => import('./RenameDialog.tsx').then((part) => part.RenameDialog))

export function FilesPage() {
  const tenant = useTenant()
  const navigate = useNavigate()
  const [query] = useSearchParams()
  const state = readFilesState(query)
  const mayChange = useMay('MEMBER')
  const actions = useFileActions()
  const [renamed, setRenamed] = useState<FileRowFragment | null>(null)
  const [version, setVersion] = useState<ChosenVersion | null>(null)
  const [kept, setKept] = useState<Kept | null>(null)
  const files = useList(filesOf(filterOf(state)))
  const onView = useCatchUp(tenant, files.refetch, files.onView)
  const go = (next: FilesState) => void navigate(paths.files(tenant, next))
  const choices = useStable<FileChoices>({
    onDetails: ({ id }) => go({ ...state, file: id }),
    onDownload: (file) => void actions.download(file),
    onRename: setRenamed,
    onNewVersion: (file) => void actions.uploadVersion(file, setVersion),
    onDelete: (file) => void actions.remove(file, setKept),
  })

  return (
    <>
      <title>Files · Filegraph</title>
      <div className="page-head">
        <h1>Files</h1>
        {mayChange && <UploadButton />}
        {files.data && !mayChange && <p className="soft">You can view and download here.</p>}
      </div>
      <FileFilters state={state} onChange={(next) => void navigate(paths.files(tenant, next), { replace: true })} />
      <PagedTable
        list={files}
        label="Files"
        className="files"
        columns={['Name', 'Type', 'Size', 'Uploaded by', 'When', 'Actions']}
        what={['file', 'files']}
        empty={<NoFiles isFiltered={Boolean(state.type ?? state.by)} mayChange={mayChange} />}
        end="End of the list."
        renderRow={(file) => <FileRow file={file} mayChange={mayChange} choices={choices} />}
        onView={onView}
      />
      <Suspense>
        {renamed && <RenameDialog file={renamed} onClose={() => setRenamed(null)} />}
        {version && <NewVersionDialog version={version} onClose={() => setVersion(null)} />}
        {kept && (
          <KeptDialog
            {...kept}
            onDetails={() => {
              setKept(null)
              go({ ...state, file: kept.file.id })
            }}
            onClose={() => setKept(null)}
          />
        )}
        {state.file && (
          <FileDetails
            id={state.file}
            onRename={setRenamed}
            onNewVersion={choices.onNewVersion}
            onClose={() => go({ ...state, file: undefined })}
          />
        )}
      </Suspense>
    </>
  )
}

const filesOf = (filter: FileFilter) => ({
  first: FilesPageDocument,
  query: MoreFilesDocument,
  variables: { filter },
  field: 'files',
  pageOf: ({ files }: FilesPageQuery | MoreFilesQuery) => files,
  row: { fragment: FileRowFragmentDoc, name: 'FileRow' },
})

function filterOf({ type, by }: FilesState): FileFilter {
  const contentTypePrefix = prefixOf(type)
  return { state: 'READY', ...(contentTypePrefix && { contentTypePrefix }), ...(by && { uploadedById: by }) }
}

function NoFiles({ isFiltered, mayChange }: { isFiltered: boolean; mayChange: boolean }) {
  if (isFiltered) {
    return (
      <Notice icon={FileSearch} title="No matching files">
        <p>No file matches these filters.</p>
      </Notice>
    )
  }
  return (
    <Notice icon={FolderOpen} title="No files yet">
      <p>
        {mayChange
          ? 'Drop files anywhere on this page, or choose them with Upload.'
          : 'Nobody has uploaded anything yet.'}
      </p>
    </Notice>
  )
}

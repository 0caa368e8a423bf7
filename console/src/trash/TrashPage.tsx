import '../files/files.css'
import './trash.css'
import { useQuery } from '@apollo/client/react'
import { ArchiveRestore, Trash2 } from 'lucide-react'
import { TrashPageDocument, type TrashPageQuery } from '../apollo/operations.ts'
import { useMorePages } from '../apollo/useMorePages.ts'
import { FileIcon } from '../files/FileIcon.tsx'
import { useFileActions } from '../files/useFileActions.tsx'
import { PageError } from '../shell/PageError.tsx'
import { useMay } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { formatBytes } from '../ui/formatBytes.ts'
import { daysLeft } from '../ui/formatTime.ts'
import { ListFooter } from '../ui/ListFooter.tsx'
import { Notice } from '../ui/Notice.tsx'
import { SkeletonRows } from '../ui/SkeletonRows.tsx'
import { Time } from '../ui/Time.tsx'
import { useNow } from '../ui/useNow.ts'
import { UserText } from '../ui/UserText.tsx'
import { VirtualTable } from '../ui/VirtualTable.tsx'

export function TrashPage() {
  const mayChange = useMay('MEMBER')
  const { restore } = useFileActions()
  const { data, error, refetch, fetchMore } = useQuery(TrashPageDocument, {
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  })
  const more = useMorePages(data?.files.pageInfo.endCursor, (after) => fetchMore({ variables: { after } }))
  const files = data?.files.edges.map(({ node }) => node) ?? []
  const days = data?.viewer.tenant.policy.trashDays ?? 0

  return (
    <>
      <title>Trash · Filegraph</title>
      <div className="page-head">
        <h1>Trash</h1>
        {data && <p className="soft">Deleted files stay here for {wordDays(days)}.</p>}
      </div>
      {!data && !error && <SkeletonRows />}
      {!data && error && <PageError error={error} onRetry={() => void refetch().catch(() => undefined)} />}
      {data && files.length === 0 && (
        <Notice icon={Trash2} title="The trash is empty">
          <p>Whatever is deleted can be brought back from here for {wordDays(days)}.</p>
        </Notice>
      )}
      {data && files.length > 0 && (
        <VirtualTable
          label="Trash"
          className="trash"
          columns={['Name', 'Deleted by', 'Deleted', 'Time left', 'Actions']}
          rowCount={files.length}
          hasMore={data.files.pageInfo.hasNextPage}
          onNearEnd={more.onNearEnd}
          keyOf={(index) => files[index]?.id ?? String(index)}
          renderRow={(index) => {
            const file = files[index]
            return file && <TrashRow file={file} days={days} onRestore={mayChange ? () => void restore(file) : null} />
          }}
          footer={<ListFooter {...more} hasMore={data.files.pageInfo.hasNextPage} end="These are all." />}
        />
      )}
    </>
  )
}

interface TrashRowProps {
  readonly file: TrashPageQuery['files']['edges'][number]['node']
  readonly days: number
  readonly onRestore: (() => void) | null
}

function TrashRow({ file, days, onRestore }: TrashRowProps) {
  const now = useNow()
  const deletedAt = file.deletedAt ?? file.updatedAt
  const left = daysLeft(deletedAt, days, now)
  return (
    <>
      <div role="cell" className="file-name">
        <FileIcon contentType={file.contentType} />
        <div className="file-text">
          <UserText>{file.name}</UserText>
          <span className="file-summary soft">
            {formatBytes(file.byteSize)} · {wordLeft(left)}
          </span>
        </div>
      </div>
      <div role="cell" className="cell-who">
        <UserText>{file.deletedBy?.name ?? ''}</UserText>
      </div>
      <div role="cell" className="cell-when">
        <Time at={deletedAt} />
      </div>
      <div role="cell" className={left <= 3 ? 'cell-size trash-soon' : 'cell-size'}>
        {wordLeft(left)}
      </div>
      <div role="cell" className="cell-actions">
        {onRestore && (
          <Button look="plain" aria-label={`Restore ${file.name}`} onPress={onRestore} data-row-focus>
            <ArchiveRestore size={16} aria-hidden /> <span className="trash-verb">Restore</span>
          </Button>
        )}
      </div>
    </>
  )
}

const wordDays = (days: number) => (days === 1 ? '1 day' : `${days} days`)

const wordLeft = (days: number) => (days === 0 ? 'ends today' : `${wordDays(days)} left`)

import { useApolloClient, useQuery } from '@apollo/client/react'
import { Download, FilePlus2, History, Pencil, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'react-router'
import {
  type Retention,
  type FileDetailsQuery,
  FileDetailsDocument,
  type FileRowFragment,
} from '../apollo/operations.ts'
import { wordFailure } from '../apollo/takeSuccess.ts'
import { wordError } from '../apollo/wordRefusal.ts'
import { UsedBy } from '../attachments/UsedBy.tsx'
import { HoldSection } from '../holds/HoldSection.tsx'
import { paths } from '../paths.ts'
import { useMay, useTenant } from '../shell/useShell.ts'
import { Button } from '../ui/Button.tsx'
import { NoSuchRow, Sheet, Fact } from '../ui/Sheet.tsx'
import { Time } from '../ui/Time.tsx'
import { UserText } from '../ui/UserText.tsx'
import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { say } from '../ui/say.ts'
import { FileIcon } from './FileBadges.tsx'
import { FileVersions, newestIntact } from './FileVersions.tsx'
import { changeRetention } from './changeFiles.ts'
import { typeNameOf } from './typeNames.ts'
import { useFileActions } from './useFileActions.tsx'

const retentionNames: Record<Retention, string> = {
  KEPT: 'until somebody deletes it',
  WHILE_ATTACHED: 'as long as something uses it',
}

/** How long a file is kept. People who can change files can choose it. */
export function RetentionChoice({ file }: { file: { readonly id: string; readonly retention: Retention } }) {
  const client = useApolloClient()
  const mayChange = useMay('MEMBER')
  const [isPending, setPending] = useState(false)
  if (!mayChange) return retentionNames[file.retention]

  async function choose(retention: Retention) {
    setPending(true)
    await changeRetention(client, file.id, retention).catch((error: unknown) => say(wordFailure(error)))
    setPending(false)
  }

  return (
    <select
      className="select retention"
      aria-label="How long it stays"
      value={file.retention}
      aria-busy={isPending}
      onChange={({ target }) => void choose(target.value as Retention)}
    >
      {Object.entries(retentionNames).map(([retention, name]) => (
        <option key={retention} value={retention}>
          {name}
        </option>
      ))}
    </select>
  )
}

interface FileDetailsProps {
  readonly id: string
  readonly onRename: (file: FileRowFragment) => void
  readonly onNewVersion: (file: FileRowFragment) => void
  readonly onClose: () => void
}

type Details = NonNullable<FileDetailsQuery['file']>

/** All fields of one file. Its id is in the address, so that links to it work. */
export function FileDetails({ id, onRename, onNewVersion, onClose }: FileDetailsProps) {
  const tenant = useTenant()
  const { data, error, refetch } = useQuery(FileDetailsDocument, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
  })
  return (
    <Sheet
      label="File details"
      isLoaded={Boolean(data)}
      failure={error ? wordError(error) : null}
      onRetry={() => void refetch().catch(() => undefined)}
      onClose={onClose}
    >
      {data?.file ? (
        <Facts file={data.file} onRename={onRename} onNewVersion={onNewVersion} />
      ) : (
        <NoSuchRow words="There is no such file here. It may have been deleted, or the address was mistyped.">
          <Button onPress={onClose}>Back to the files</Button>
          <Link className="button" to={paths.trash(tenant)}>
            Look in the trash
          </Link>
        </NoSuchRow>
      )}
    </Sheet>
  )
}

type FactsProps = Pick<FileDetailsProps, 'onRename' | 'onNewVersion'> & { readonly file: Details }

function Facts({ file, onRename, onNewVersion }: FactsProps) {
  const tenant = useTenant()
  const actions = useFileActions()
  const mayChange = useMay('MEMBER')
  const seesAudit = useMay('ADMIN')
  const intact = newestIntact(file)
  return (
    <>
      <div className="details-head">
        <FileIcon contentType={file.contentType} />
        <h2>
          <UserText wrap>{file.name}</UserText>
        </h2>
      </div>
      {file.quarantinedAt && (
        <DamageAlarm version={file.version.number} since={file.quarantinedAt} intact={intact?.number} />
      )}
      <div className="sheet-actions">
        {!file.quarantinedAt && (
          <Button look="primary" onPress={() => void actions.download(file)}>
            <Download size={16} aria-hidden /> Download
          </Button>
        )}
        {file.quarantinedAt && intact && (
          <Button look="primary" onPress={() => void actions.download(file, intact.number)}>
            <Download size={16} aria-hidden /> Download version {intact.number}
          </Button>
        )}
        {mayChange && (
          <>
            <Button onPress={() => onRename(file)}>
              <Pencil size={16} aria-hidden /> Rename
            </Button>
            <Button onPress={() => onNewVersion(file)}>
              <FilePlus2 size={16} aria-hidden /> New version
            </Button>
          </>
        )}
      </div>
      <dl className="facts">
        <Fact label="Size">
          {formatBytes(file.byteSize)}{' '}
          {file.byteSize >= 1000 && <span className="soft">({formatCount(file.byteSize)} bytes)</span>}
        </Fact>
        <Fact label="Type">
          {typeNameOf(file.contentType, file.name)} <span className="soft">({file.contentType})</span>
        </Fact>
        <Fact label="Uploaded">
          <Time at={file.uploadedAt} /> by <UserText wrap>{file.uploadedBy.name}</UserText>
        </Fact>
        <Fact label="Changed">
          <Time at={file.updatedAt} />
        </Fact>
        <Fact label="Stays">
          <RetentionChoice file={file} />
        </Fact>
        <Fact label="SHA-256">{file.sha256 ? <code className="mono">{file.sha256}</code> : 'not declared'}</Fact>
      </dl>
      <UsedBy file={file} />
      <HoldSection file={file} />
      <FileVersions file={file} onDownload={(version) => void actions.download(file, version)} />
      {seesAudit && (
        <Link className="button" to={paths.audit(tenant, { subject: file.id })}>
          <History size={16} aria-hidden /> Its history in the audit log
        </Link>
      )}
    </>
  )
}

interface DamageAlarmProps {
  readonly version: number
  readonly since: string
  /** The number of a version that can be downloaded instead. */
  readonly intact: number | undefined
}

function DamageAlarm({ version, since, intact }: DamageAlarmProps) {
  return (
    <div className="alarm" role="alert">
      <TriangleAlert size={20} aria-hidden />
      <p>
        <strong>The stored bytes of version {version} no longer match what was uploaded, or are missing.</strong> This
        was found <Time at={since} />, and nobody can download that version.{' '}
        {intact === undefined
          ? 'There is no other version that can be downloaded. Upload a new version, or ask your administrator for a backup.'
          : `Version ${intact} is intact. You can download it, or upload a new version.`}
      </p>
    </div>
  )
}

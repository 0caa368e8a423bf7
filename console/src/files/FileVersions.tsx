import { Download } from 'lucide-react'
import type { FileDetailsQuery } from '../apollo/operations.ts'
import { Button } from '../ui/Button.tsx'
import { Time } from '../ui/Time.tsx'
import { isolate, UserText } from '../ui/UserText.tsx'
import { formatBytes } from '../ui/formatBytes.ts'

type Details = NonNullable<FileDetailsQuery['file']>
type FileVersion = Details['versions']['edges'][number]['node']

/** The newest loaded version that is not damaged. */
export const newestIntact = ({ versions }: Details): FileVersion | undefined =>
  versions.edges.map(({ node }) => node).find(({ quarantinedAt }) => quarantinedAt === null)

interface FileVersionsProps {
  readonly file: Details
  readonly onDownload: (version: number) => void
}

export function FileVersions({ file, onDownload }: FileVersionsProps) {
  return (
    <section className="versions" aria-label="Versions">
      <h2>Versions</h2>
      <ol>
        {file.versions.edges.map(({ node }) => (
          <Version
            key={node.id}
            version={node}
            isCurrent={node.id === file.version.id}
            onDownload={() => onDownload(node.number)}
          />
        ))}
      </ol>
      {file.versions.pageInfo.hasNextPage && <p className="soft">Older versions are not shown here.</p>}
    </section>
  )
}

interface VersionProps {
  readonly version: FileVersion
  readonly isCurrent: boolean
  readonly onDownload: () => void
}

function Version({ version, isCurrent, onDownload }: VersionProps) {
  const { number, name, byteSize, createdAt, createdBy, quarantinedAt } = version
  return (
    <li className="version">
      <span className="version-number">{number}</span>
      <div className="version-text">
        <UserText>{name}</UserText>
        <span className="soft">
          {formatBytes(byteSize)} · <Time at={createdAt} /> · <UserText wrap>{createdBy.name}</UserText>
        </span>
      </div>
      {isCurrent && <span className="badge">Current</span>}
      {quarantinedAt ? (
        <span className="badge badge-alarm">Damaged</span>
      ) : (
        <Button look="icon" aria-label={`Download version ${number}, ${isolate(name)}`} onPress={onDownload}>
          <Download size={16} aria-hidden />
        </Button>
      )}
    </li>
  )
}

import { Download, TriangleAlert } from 'lucide-react'
import { memo } from 'react'
import type { FileRowFragment } from '../apollo/operations.ts'
import { Button } from '../ui/Button.tsx'
import { formatBytes } from '../ui/formatBytes.ts'
import { Time } from '../ui/Time.tsx'
import { isolate } from '../ui/isolate.ts'
import { FileName, UserText } from '../ui/UserText.tsx'
import { FileBadges } from './FileBadges.tsx'
import { FileIcon } from './FileIcon.tsx'
import { type FileChoices, FileMenu } from './FileMenu.tsx'
import { typeNameOf } from './typeNames.ts'

/**
 * The cells of a file. On a narrow screen the name carries what the other columns would say. Scrolling renders the rows
 * that come into sight, and those that stay only where something about them changed.
 */
export const FileRow = memo(function FileRow({
  file,
  mayChange,
  choices,
}: {
  file: FileRowFragment
  mayChange: boolean
  choices: FileChoices
}) {
  return (
    <>
      <div role="cell" className="file-name">
        <FileIcon contentType={file.contentType} />
        <div className="file-text">
          <button
            type="button"
            className="file-open"
            // A name in two parts would be read with a space between them.
            aria-label={file.name}
            data-row-focus
            onClick={() => choices.onDetails(file)}
          >
            <FileName name={file.name} />
          </button>
          <FileBadges file={file} />
          <span className="file-summary soft">
            {typeNameOf(file.contentType, file.name)}
            <span className="file-summary-more">
              {' '}
              · {formatBytes(file.byteSize)} · <Time at={file.uploadedAt} />
            </span>
          </span>
        </div>
      </div>
      <div role="cell" className="cell-type ellipsis">
        {typeNameOf(file.contentType, file.name)}
      </div>
      <div role="cell" className="cell-size">
        {formatBytes(file.byteSize)}
      </div>
      <div role="cell" className="cell-who">
        <UserText>{file.uploadedBy.name}</UserText>
      </div>
      <div role="cell" className="cell-when">
        <Time at={file.uploadedAt} />
      </div>
      <div role="cell" className="cell-actions">
        {file.quarantinedAt ? (
          <Button
            look="icon"
            aria-label={`Damaged: ${isolate(file.name)}. See which version can be downloaded`}
            onPress={() => choices.onDetails(file)}
          >
            <TriangleAlert size={18} aria-hidden />
          </Button>
        ) : (
          <Button look="icon" aria-label={`Download ${isolate(file.name)}`} onPress={() => choices.onDownload(file)}>
            <Download size={18} aria-hidden />
          </Button>
        )}
        <FileMenu file={file} mayChange={mayChange} choices={choices} />
      </div>
    </>
  )
})

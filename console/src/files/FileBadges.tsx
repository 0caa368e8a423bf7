import { Link2, Lock, TriangleAlert } from 'lucide-react'
import type { FileRowFragment } from '../apollo/operations.ts'
import { lookOf } from './typeNames.ts'

/** Decorative: the kind of the file is beside it in words. */
export function FileIcon({ contentType }: { contentType: string }) {
  const { Icon, tone } = lookOf(contentType)
  return (
    <span className={`file-icon tone-${tone}`} title={contentType} aria-hidden>
      <Icon size={20} strokeWidth={1.7} />
    </span>
  )
}

/** Warnings about a file, in words and not by colour alone. The most severe one is first. */
export function FileBadges({ file }: { file: Pick<FileRowFragment, 'attachmentCount' | 'hold' | 'quarantinedAt'> }) {
  const { attachmentCount, hold, quarantinedAt } = file
  if (!quarantinedAt && !hold && attachmentCount === 0) return null
  return (
    <span className="file-badges">
      {quarantinedAt && (
        <span className="badge badge-alarm" title="Its bytes are missing or damaged in the bucket">
          <TriangleAlert size={13} aria-hidden /> <span className="badge-word">Damaged</span>
        </span>
      )}
      {hold && (
        <span className="badge badge-hold" title={hold.reason}>
          <Lock size={13} aria-hidden /> <span className="badge-word">Legal hold</span>
        </span>
      )}
      {attachmentCount > 0 && (
        <span className="badge badge-use" title={attachmentCount === 1 ? 'Used once' : `Used ${attachmentCount} times`}>
          <Link2 size={13} aria-hidden /> <span className="badge-word">In use</span>
        </span>
      )}
    </span>
  )
}

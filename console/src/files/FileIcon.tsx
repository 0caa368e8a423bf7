import { lookOf } from './typeGroups.ts'

/** Decoration: the kind of the file stands beside it in words. */
export function FileIcon({ contentType }: { contentType: string }) {
  const { Icon, tone } = lookOf(contentType)
  return (
    <span className={`file-icon tone-${tone}`} title={contentType} aria-hidden>
      <Icon size={20} strokeWidth={1.7} />
    </span>
  )
}

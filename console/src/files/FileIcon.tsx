import { lookOf } from './typeGroups.ts'

export function FileIcon({ contentType }: { contentType: string }) {
  const { Icon, tone, name } = lookOf(contentType)
  return (
    <span className={`file-icon tone-${tone}`} title={contentType}>
      <Icon size={20} strokeWidth={1.7} aria-hidden />
      <span className="visually-hidden">{name}</span>
    </span>
  )
}

import { splitName, widthInEm } from './splitName.ts'

/**
 * What people wrote. It may run in any direction and be of any length, and must not reorder or widen what is around it.
 * Browsers that translate the page leave it as it is.
 */
export function UserText({ children, wrap = false }: { children: string; wrap?: boolean }) {
  return wrap ? (
    <bdi className="user-text" translate="no">
      {children}
    </bdi>
  ) : (
    <bdi className="ellipsis" title={children} translate="no">
      {children}
    </bdi>
  )
}

/**
 * The name of a file on one line. One that is too long loses its middle and keeps its ending, so that people still see what kind
 * of file it is. The ending runs in its own direction, so that its dot stays in front of it. The text stays whole for
 * people who copy it, search the page or use a screen reader.
 */
export function FileName({ name }: { name: string }) {
  const { start, end } = splitName(name)
  const endWidth = `${widthInEm(end)}em`
  return (
    <bdi className="file-label" title={name} translate="no">
      <span className="file-label-part" style={{ maxWidth: end ? `calc(100% - ${endWidth} + 1px)` : '100%' }}>
        {start}
      </span>
      {end && (
        <span dir="auto" className="file-label-part" style={{ width: endWidth }}>
          {end}
        </span>
      )}
    </bdi>
  )
}

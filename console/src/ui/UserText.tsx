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

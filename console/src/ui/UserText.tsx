/** What people wrote, which may run in any direction and be of any length: it must not reorder or widen what is around it. */
export function UserText({ children, wrap = false }: { children: string; wrap?: boolean }) {
  return wrap ? (
    <bdi className="user-text">{children}</bdi>
  ) : (
    <bdi className="ellipsis" title={children}>
      {children}
    </bdi>
  )
}

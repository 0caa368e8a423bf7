import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

interface NoticeProps {
  readonly icon: LucideIcon
  readonly title: string
  readonly children?: ReactNode
  /** True if the notice replaces content that people waited for, so that screen readers read it. */
  readonly isAlert?: boolean
  /** Buttons and links to other pages. */
  readonly actions?: ReactNode
}

/** Shown instead of rows if there are none, with the reason. */
export function Notice({ icon: Icon, title, children, isAlert = false, actions }: NoticeProps) {
  return (
    <div className="notice" role={isAlert ? 'alert' : undefined}>
      <span className="notice-art">
        <Icon size={32} strokeWidth={1.6} aria-hidden />
      </span>
      <h2>{title}</h2>
      {children}
      {actions && <div className="notice-actions">{actions}</div>}
    </div>
  )
}

import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

interface NoticeProps {
  readonly icon: LucideIcon
  readonly title: string
  readonly children?: ReactNode
  /** True where the notice replaces what people waited for, so that it is read out. */
  readonly isAlert?: boolean
  /** Buttons and links that lead on. */
  readonly actions?: ReactNode
}

/** What stands where rows would: nothing here yet, or why not. */
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

import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import {
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components/Toast'
import { Button } from './Button.tsx'

interface Message {
  readonly text: ReactNode
  readonly action?: { readonly label: string; readonly run: () => void }
}

const queue = new ToastQueue<Message>({ maxVisibleToasts: 3 })

const shownForMs = 8000

/** Says something in passing. An action stays long enough to be reached by keyboard; hovering and focus stop the clock. */
export function say(text: ReactNode, action?: Message['action']): void {
  queue.add(action ? { text, action } : { text }, { timeout: shownForMs })
}

export function Toasts() {
  return (
    <ToastRegion queue={queue} className="toasts" aria-label="Messages">
      {({ toast }) => (
        <Toast toast={toast} className="toast">
          <ToastContent className="toast-text">{toast.content.text}</ToastContent>
          {toast.content.action && (
            <Button
              look="quiet"
              onPress={() => {
                toast.content.action?.run()
                queue.close(toast.key)
              }}
            >
              {toast.content.action.label}
            </Button>
          )}
          <Button look="icon" slot="close" aria-label="Dismiss">
            <X size={16} aria-hidden />
          </Button>
        </Toast>
      )}
    </ToastRegion>
  )
}

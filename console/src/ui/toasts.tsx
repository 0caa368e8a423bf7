import { X } from 'lucide-react'
import {
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from 'react-aria-components/Toast'
import { Button } from './Button.tsx'
import { listenToMessages, type Message } from './say.ts'

const queue = new ToastQueue<Message>({ maxVisibleToasts: 3 })

/** Long enough to reach an action by keyboard. Hovering and focus pause the timer. */
const shownForMs = 8000

listenToMessages({
  show: (message) => void queue.add(message, { timeout: shownForMs }),
  withdraw: (subject) => {
    for (const { key, content } of queue.visibleToasts) if (content.action?.subject === subject) queue.close(key)
  },
})

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

import { WifiOff } from 'lucide-react'
import { useSyncExternalStore } from 'react'

/** Says that what is shown may be old. It is asked for again by itself once there is a network. */
export function OfflineNote() {
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine)
  return (
    <div role="status">
      {!isOnline && (
        <p className="offline-note">
          <WifiOff size={16} aria-hidden /> You are offline. What you see may be out of date.
        </p>
      )}
    </div>
  )
}

function subscribe(listener: () => void) {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}

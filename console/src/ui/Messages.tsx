import { lazy, Suspense, useEffect, useState } from 'react'
import { whenFirstSaid } from './say.ts'

const Toasts = lazy(() => import('./toasts.tsx').then((part) => ({ default: part.Toasts })))

/** The place of what is said in passing; it is fetched when there is something to say. */
export function Messages() {
  const [isNeeded, setNeeded] = useState(false)
  useEffect(() => whenFirstSaid(() => setNeeded(true)), [])
  return <Suspense>{isNeeded && <Toasts />}</Suspense>
}

import { Suspense, useEffect, useState } from 'react'
import { whenSaid } from './say.ts'
import { lazyPart } from './lazyPart.ts'

const Toasts = lazyPart(() => import('./toasts.tsx').then((part) => part.Toasts))

/** The place of what is said in passing; it is fetched when there is something to say. */
export function Messages() {
  const [isNeeded, setNeeded] = useState(false)
  useEffect(() => whenSaid(() => setNeeded(true)), [])
  return <Suspense>{isNeeded && <Toasts />}</Suspense>
}

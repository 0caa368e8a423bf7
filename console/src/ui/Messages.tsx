import { Suspense, useEffect, useState } from 'react'
import { whenSaid } from './say.ts'
import { lazyPart } from './lazyPart.ts'

const Toasts = lazyPart(() => import('./toasts.tsx').then((part) => part.Toasts))

/** The region for short messages. Its code is fetched with the first message. */
export function Messages() {
  const [isNeeded, setNeeded] = useState(false)
  useEffect(() => whenSaid(() => setNeeded(true)), [])
  return <Suspense>{isNeeded && <Toasts />}</Suspense>
}

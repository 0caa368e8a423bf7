import {
  Check,
  CircleDashed,
  CircleStop,
  LoaderCircle,
  type LucideIcon,
  ShieldAlert,
  TriangleAlert,
} from 'lucide-react'
import type { CleanupState } from '../apollo/operations.ts'
import { stateNames } from './cleanupWords.ts'

const looks: Readonly<Record<CleanupState, readonly [LucideIcon, string]>> = {
  QUEUED: [CircleDashed, 'badge badge-use'],
  RUNNING: [LoaderCircle, 'badge badge-use'],
  DONE: [Check, 'badge'],
  STOPPED: [CircleStop, 'badge badge-hold'],
  REFUSED: [ShieldAlert, 'badge badge-hold'],
  FAILED: [TriangleAlert, 'badge badge-alarm'],
}

/** How a run stands: a shape and a word, and a colour besides. */
export function RunState({ state }: { state: CleanupState }) {
  const [Icon, className] = looks[state]
  return (
    <span className={className}>
      <Icon size={13} aria-hidden /> {stateNames[state]}
    </span>
  )
}

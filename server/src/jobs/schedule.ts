import type { Logger } from 'pino'
import type { Context } from '../domain/context.ts'
import { expireUploadsEverywhere } from './expireUploadsEverywhere.ts'
import { forgetSessions } from '../domain/identity/forgetSessions.ts'

/** What a job works with. */
export type JobContext = Pick<Context, 'database' | 'blobs' | 'now'> & { readonly logger: Logger }

export interface Job {
  /** As the queue knows it: renaming one forgets when it ran last. */
  readonly name: string
  /** Minute, hour, day, month, weekday; in UTC. */
  readonly cadence: string
  readonly run: (ctx: JobContext) => Promise<void>
}

/**
 * Everything that happens without being asked for. The queue starts each once, however many workers there are. A run that
 * takes longer than its cadence, or whose process died, does not hold up the next: each has to bear another beside it.
 */
export const schedule: readonly Job[] = [
  { name: 'expire_uploads', cadence: '* * * * *', run: expireUploadsEverywhere },
  { name: 'forget_sessions', cadence: '17 * * * *', run: forgetSessions },
]

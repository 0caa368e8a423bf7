import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Context } from '../context.ts'
import { RunEnded } from '../sweeps/runs/recordRun.ts'
import { advanceMarker, assertOwnBucket } from './bucketMarker.ts'
import { readInstallation } from './installation.ts'

type Parts = Pick<Context, 'database' | 'blobs' | 'now'> & { readonly logger: Logger }

export interface BucketWatch {
  stop(): void
}

const usualPauseMs = 60_000
/** While the database or the bucket gives no answer, so that the first marker is written as soon as it does. */
const retryPauseMs = 5_000
/** How long a process waits for the first answer before it starts to listen without one. */
const patienceMs = 5_000

/**
 * Marks the bucket before this process does anything else, and looks at it once a minute from then on, so that another
 * database on the same bucket is found by every process, also where no worker runs. Resolves after the first look; where
 * database or bucket give no answer within five seconds, the process starts all the same and the look comes later. Never
 * rejects.
 */
export async function watchBucket(ctx: Parts): Promise<BucketWatch> {
  const stopped = new AbortController()
  const first = lookAt(ctx, advanceMarker)
  void (async () => {
    let hasMarked = await first
    while (!stopped.signal.aborted) {
      await pause(hasMarked ? usualPauseMs : retryPauseMs, stopped.signal)
      if (!stopped.signal.aborted) hasMarked = await lookAt(ctx, hasMarked ? assertOwnBucket : advanceMarker)
    }
  })()
  await Promise.race([first, pause(patienceMs, stopped.signal)])
  return { stop: () => stopped.abort() }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<unknown> =>
  sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined)

/** Whether an answer came. A refusal is one. */
async function lookAt(ctx: Parts, look: (ctx: Parts) => Promise<unknown>): Promise<boolean> {
  try {
    await look(ctx)
    return true
  } catch (error) {
    if (error instanceof RunEnded) {
      ctx.logger.error(
        { reason: error.message, remedy: 'filegraph accept-bucket' },
        'Nothing is deleted from the bucket',
      )
      return true
    }
    ctx.logger.warn({ err: error }, 'The bucket could not be asked whose it is')
    return false
  }
}

/** Why nothing is deleted at present, and since when; null while deletes are allowed. Asks the database alone. */
export async function readRefusal({ database }: Pick<Context, 'database'>) {
  const { refusal, refusedSince } = await readInstallation(database)
  return refusal === null || refusedSince === null ? null : { message: refusal, since: refusedSince }
}

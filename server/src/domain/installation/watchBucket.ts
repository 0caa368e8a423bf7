import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { errorCodeOf } from '../../database/databaseUnavailable.ts'
import type { Context } from '../context.ts'
import { isServiceUnavailable } from '../serviceUnavailable.ts'
import { RunEnded } from '../sweeps/runs/recordRun.ts'
import { advanceMarker, assertOwnBucket } from './bucketMarker.ts'
import { readInstallation } from './installation.ts'

type Parts = Pick<Context, 'database' | 'blobs' | 'now'> & { readonly logger: Logger }

export interface BucketWatch {
  stop(): void
}

interface Pauses {
  readonly usualMs: number
  /** While the database or the bucket gives no answer, so that the first marker is written as soon as it does. */
  readonly retryMs: number
}

const usualPauses: Pauses = { usualMs: 60_000, retryMs: 5_000 }
/** How long a process waits for the first answer before it starts to listen without one. */
const patienceMs = 5_000
/** A refusal needs a person. It is an error in the log when it begins, when it changes, and as often as this. */
const reminderMs = 3_600_000

/** One line for people about what went wrong, without a stack. */
type SentenceFor = (error: unknown) => string

/**
 * Marks the bucket before this process does anything else, and looks at it once a minute from then on, so that another
 * database on the same bucket is found by every process, also where no worker runs. Resolves after the first look; where
 * database or bucket give no answer within five seconds, the process starts all the same and the look comes later. Never
 * rejects.
 */
export async function watchBucket(
  ctx: Parts,
  sentenceFor: SentenceFor,
  { usualMs, retryMs } = usualPauses,
): Promise<BucketWatch> {
  const stopped = new AbortController()
  const state = new WatchState(ctx.logger, sentenceFor)
  const first = lookAt(ctx, state, advanceMarker)
  void (async () => {
    let hasMarked = await first
    while (!stopped.signal.aborted) {
      await pause(hasMarked ? usualMs : retryMs, stopped.signal)
      if (!stopped.signal.aborted) hasMarked = await lookAt(ctx, state, hasMarked ? assertOwnBucket : advanceMarker)
    }
  })()
  await Promise.race([first, pause(patienceMs, stopped.signal)])
  return { stop: () => stopped.abort() }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<unknown> =>
  sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined)

/** Whether an answer came. A refusal is one. */
async function lookAt(ctx: Parts, state: WatchState, look: (ctx: Parts) => Promise<unknown>): Promise<boolean> {
  try {
    await look(ctx)
    state.tellRight()
    return true
  } catch (error) {
    if (error instanceof RunEnded) state.tellRefusal(error.message)
    else state.tellFailure(error)
    return error instanceof RunEnded
  }
}

/** What the watch has said last: it says the same thing once, however often it finds it. */
class WatchState {
  readonly #logger: Logger
  readonly #sentenceFor: SentenceFor
  #told = ''
  #toldAt = 0

  constructor(logger: Logger, sentenceFor: SentenceFor) {
    this.#logger = logger
    this.#sentenceFor = sentenceFor
  }

  tellRight(): void {
    if (this.#told !== '') this.#logger.info('The bucket is the one of this database')
    this.#told = ''
  }

  tellRefusal(reason: string): void {
    const isDue = performance.now() - this.#toldAt >= reminderMs
    if (!this.#isNews(reason) && !isDue) return
    this.#toldAt = performance.now()
    this.#logger.error({ reason, remedy: 'filegraph accept-bucket' }, 'Nothing is deleted from the bucket')
  }

  /** A stack only for what is not known: it is a bug. */
  tellFailure(error: unknown): void {
    const isMigrated = !missingTable.has(errorCodeOf(error) ?? '')
    const reason = isMigrated ? this.#sentenceFor(error) : 'The database is not up to date. Run: filegraph migrate'
    if (!this.#isNews(reason)) return
    const isKnown = !isMigrated || isServiceUnavailable(error)
    const message = 'The bucket could not be asked whose it is, and nothing is deleted from it'
    this.#logger.warn({ reason, ...(!isKnown && { err: error }) }, message)
  }

  #isNews(reason: string): boolean {
    const isNews = reason !== this.#told
    this.#told = reason
    return isNews
  }
}

/** `undefined_table`, `undefined_column` and `undefined_function`. PostgreSQL, appendix A. */
const missingTable: ReadonlySet<string> = new Set(['42P01', '42703', '42883'])

/** Why nothing is deleted at present, and since when; null while deletes are allowed. Asks the database alone. */
export async function readRefusal({ database }: Pick<Context, 'database'>) {
  const { refusal, refusedSince } = await readInstallation(database)
  return refusal === null || refusedSince === null ? null : { message: refusal, since: refusedSince }
}

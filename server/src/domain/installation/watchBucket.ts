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
  /** The interval while the database or the bucket does not answer, so that the first marker is written soon. */
  readonly retryMs: number
}

const usualPauses: Pauses = { usualMs: 60_000, retryMs: 5_000 }
/** How long a process waits for the first answer before it listens without one. */
const patienceMs = 5_000
/** A refusal needs a person. It is logged as an error when it begins, when it changes, and at this interval. */
const reminderMs = 3_600_000

/** One line for people about an error, without a stack. */
type SentenceFor = (error: unknown) => string

/**
 * Marks the bucket before this process does anything else, and checks it every minute. Every process therefore finds
 * another database on the same bucket, even without a worker. Resolves after the first check, or after five seconds
 * without an answer; the check then follows later. Never rejects.
 */
export async function watchBucket(
  ctx: Parts,
  sentenceFor: SentenceFor,
  { usualMs, retryMs } = usualPauses,
): Promise<BucketWatch> {
  const stopped = new AbortController()
  const state = new WatchState(ctx.logger, sentenceFor)
  const lookAt = (look: Look) => lookOnce(ctx, state, look, stopped.signal)
  const first = lookAt(advanceMarker)
  void (async () => {
    let hasMarked = await first
    while (!stopped.signal.aborted) {
      await pause(hasMarked ? usualMs : retryMs, stopped.signal)
      if (!stopped.signal.aborted) hasMarked = await lookAt(hasMarked ? assertOwnBucket : advanceMarker)
    }
  })()
  await Promise.race([first, pause(patienceMs, stopped.signal)])
  return { stop: () => stopped.abort() }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<unknown> =>
  sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined)

type Look = (ctx: Parts) => Promise<unknown>

/** True if there was an answer. A refusal counts as one. What ends after the watch was stopped is not logged. */
async function lookOnce(ctx: Parts, state: WatchState, look: Look, stopped: AbortSignal): Promise<boolean> {
  try {
    await look(ctx)
    if (!stopped.aborted) state.tellRight()
    return true
  } catch (error) {
    if (stopped.aborted) return false
    if (error instanceof RunEnded) state.tellRefusal(error.message)
    else state.tellFailure(error)
    return error instanceof RunEnded
  }
}

/** The last message of the watch. A repeated message is logged once. */
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

  /** Logs a stack only for an unknown error, which is a defect. */
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

/** Why deletes are suspended, and since when. Null while they are allowed. Reads only the database. */
export async function readRefusal({ database }: Pick<Context, 'database'>) {
  const { refusal, refusedSince } = await readInstallation(database)
  return refusal === null || refusedSince === null ? null : { message: refusal, since: refusedSince }
}

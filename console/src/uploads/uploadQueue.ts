import type { FileRowFragment } from '../apollo/operations.ts'
import { declaredType, essenceOf } from './declaredType.ts'
import { judgeFailure } from './uploadFailure.ts'
import { isUnfinished, type Pause, type Upload, UploadStore } from './uploadStore.ts'
import { type ChosenFile, type SendingParts, sendWork, type Work, workOn } from './uploadWork.ts'
import { WaitingLine } from './waitingLine.ts'

export interface QueueParts extends SendingParts {
  readonly onDone: (tenant: string, file: FileRowFragment) => void
  /** Runs a function before the next frame is painted. */
  readonly nextFrame: (run: () => void) => void
}

const sentAtOnce = 3
/** After this many uploads in a row without a response the queue pauses. */
const unansweredInARow = 3
const busyPauseMs = 5_000
/** How long signing out waits for commits and cancellations. */
const leavingMs = 3_000

/** Uploads files in the order in which they were added, three at a time. It is independent of pages, so leaving one stops nothing. */
export class UploadQueue {
  readonly store: UploadStore
  readonly #parts: QueueParts
  readonly #work = new Map<string, Work>()
  /** The running uploads, and the controllers that stop them. */
  readonly #active = new Map<string, { readonly abort: AbortController; readonly ended: Promise<void> }>()
  readonly #waiting = new WaitingLine()
  #added = 0
  /** The person who is signed in. Null until that is known. */
  #person: string | null = null
  /** The uploads that failed without a response since the last response. */
  readonly #unanswered = new Set<string>()

  constructor(parts: QueueParts) {
    this.#parts = parts
    this.store = new UploadStore(parts.nextFrame)
  }

  /** `owner` is the e-mail address of the person who chose the files. Nobody else uploads them. */
  add(tenant: string, owner: string, files: readonly ChosenFile[]): void {
    if (this.#person !== null && owner !== this.#person) return
    const added = files.map((file): Upload => {
      this.#added += 1
      const id = String(this.#added).padStart(9, '0')
      this.#work.set(id, workOn(file))
      this.#waiting.add(id)
      const { bytes, name = bytes.name, folder = null } = file
      const fresh = { sentBytes: 0, step: 'waiting', failure: null, isMistyped: false, remark: null } as const
      return { id, tenant, owner, name, folder, byteSize: bytes.size, ...fresh }
    })
    this.store.add(added)
    if (this.store.pause() === 'unreachable') this.resume()
    else this.#startWaiting()
  }

  unfinishedCount(): number {
    return this.store.all().filter(isUnfinished).length
  }

  /** Stops an upload and releases its reserved space. A running commit cannot be stopped. */
  cancel(id: string): void {
    const upload = this.store.read(id)
    if (!upload || !isUnfinished(upload) || upload.step === 'committing') return
    this.store.change(id, { step: 'cancelled' })
    void this.#stop(upload)
    this.#startWaiting()
  }

  cancelAll(tenant: string): void {
    const mine = this.store.all().filter((upload) => upload.tenant === tenant)
    // Waiting uploads first: stopping a running one would start the next.
    for (const { id, step } of mine) if (step === 'waiting') this.store.change(id, { step: 'cancelled' })
    for (const { id } of mine) this.cancel(id)
  }

  retry(ids: readonly string[]): void {
    for (const id of ids) {
      const { step, isMistyped = false } = this.store.read(id) ?? {}
      const work = this.#work.get(id)
      if (!work || (step !== 'failed' && step !== 'cancelled')) continue
      work.isTypedByContent ||= isMistyped
      this.store.change(id, { step: 'waiting', failure: null, sentBytes: 0 })
      this.#unanswered.delete(id)
      this.#waiting.add(id)
    }
    if (this.store.pause() === 'unreachable') this.resume()
    else this.#startWaiting()
  }

  /** Removes ended uploads from the screen, and their bytes from memory. */
  clearEnded(tenant: string): void {
    const ended = this.store.all().filter((upload) => upload.tenant === tenant && !isUnfinished(upload))
    const intents = ended.flatMap(({ id }) => this.#work.get(id)?.intentId ?? [])
    for (const upload of ended) this.#drop(upload)
    this.store.setNotes(tenant, undefined)
    void this.#takeBack(tenant, intents)
  }

  /** Sends nothing until `resume`. Waits for running commits, at most three seconds. */
  async holdForSignOut(): Promise<void> {
    this.#pauseFor('leaving')
    const endings: Promise<unknown>[] = []
    for (const [id, { ended }] of [...this.#active].reverse()) {
      const upload = this.store.read(id)
      if (upload && upload.step !== 'committing') {
        endings.push(this.#stop(upload))
        this.#putBack(id)
      } else endings.push(ended)
    }
    const enough = new Promise((resolve) => setTimeout(resolve, leavingMs))
    await Promise.race([Promise.allSettled(endings), enough])
  }

  /** Continues, first with uploads that failed without a response. */
  resume(): void {
    const unanswered = [...this.#unanswered]
    this.#unanswered.clear()
    this.store.setPause(null)
    this.retry(unanswered)
  }

  /** Continues the uploads of this person, and drops those of others, which nobody else may see or continue. */
  signedInAs(person: string): void {
    this.#person = person
    for (const upload of this.store.all()) if (upload.owner !== person) this.#drop(upload)
    if (this.store.pause() === 'signed-out') this.resume()
  }

  /** Drops all uploads, finished or not. */
  dropAll(): void {
    this.#person = null
    for (const upload of this.store.all()) this.#drop(upload)
    this.store.clearNotes()
    this.store.setPause(null)
  }

  #drop({ id }: Upload): void {
    this.#active.get(id)?.abort.abort()
    this.#active.delete(id)
    this.#unanswered.delete(id)
    this.#work.delete(id)
    this.store.remove(id)
  }

  /** Ends the request of an upload, and releases the space that its intent reserved. */
  async #stop({ id, tenant }: Upload): Promise<void> {
    this.#active.get(id)?.abort.abort()
    this.#active.delete(id)
    const work = this.#work.get(id)
    if (!work) return
    const { intentId } = work
    work.idempotencyKey = null
    work.intentId = null
    if (intentId !== null) await this.#takeBack(tenant, [intentId])
  }

  /** Cancels intents one after the other. An intent that cannot be cancelled expires by itself. */
  async #takeBack(tenant: string, intentIds: readonly string[]): Promise<void> {
    for (const id of intentIds) {
      await this.#parts
        .gatewayOf(tenant)
        .cancel(id)
        .catch(() => undefined)
    }
  }

  #putBack(id: string): void {
    this.store.change(id, { step: 'waiting', sentBytes: 0 })
    this.#waiting.putBack(id)
  }

  #pauseFor(pause: Pause): void {
    if (this.store.pause() === 'leaving') return
    this.store.setPause(pause)
    if (pause !== 'busy') return
    setTimeout(() => this.store.pause() === 'busy' && this.resume(), busyPauseMs)
  }

  #startWaiting(): void {
    while (this.store.pause() === null && this.#active.size < sentAtOnce) {
      const id = this.#waiting.take()
      if (id === undefined) return
      const upload = this.store.read(id)
      if (upload?.step === 'waiting' && !this.#active.has(upload.id)) this.#start(upload)
    }
  }

  #start(upload: Upload): void {
    const abort = new AbortController()
    // Added before it runs, because the upload looks itself up.
    const ended = Promise.resolve().then(() => this.#run(upload, abort))
    this.#active.set(upload.id, { abort, ended })
    this.store.change(upload.id, { step: 'checking', failure: null, sentBytes: 0 })
  }

  async #run({ id, tenant }: Upload, { signal }: AbortController): Promise<void> {
    const work = this.#work.get(id)
    if (!work) return
    try {
      const file = await this.#send(id, tenant, work, signal)
      // The person who dropped the file has signed out, so nobody needs the result.
      if (signal.aborted) return
      this.#unanswered.clear()
      this.#work.delete(id)
      this.store.change(id, {
        step: 'done',
        sentBytes: work.bytes.size,
        remark: remarkOn(file, declaredType(work.bytes)),
      })
      this.#parts.onDone(tenant, file)
    } catch (error) {
      if (!signal.aborted) this.#fail(id, work, error)
    }
    if (signal.aborted) return
    this.#active.delete(id)
    this.#startWaiting()
  }

  #send(id: string, tenant: string, work: Work, signal: AbortSignal): Promise<FileRowFragment> {
    return sendWork(this.#parts, tenant, work, {
      signal,
      onIntent: (intentId) => {
        // Cancelled while the intent was created. Only this call knows the intent, so it is cancelled here.
        if (signal.aborted) return void this.#takeBack(tenant, [intentId])
        work.intentId = intentId
        this.store.change(id, { step: 'sending' })
      },
      onSent: (sentBytes) => !signal.aborted && this.store.change(id, { sentBytes }),
      onCommitting: () => this.store.change(id, { step: 'committing' }),
    })
  }

  #fail(id: string, work: Work, error: unknown): void {
    const failure = judgeFailure(error)
    if (failure.pause !== null) {
      this.#putBack(id)
      return this.#pauseFor(failure.pause)
    }
    if (failure.needsFreshIntent) {
      work.idempotencyKey = null
      work.intentId = null
    }
    if (failure.hasIntentEnded && !work.hasStartedAfresh) {
      work.hasStartedAfresh = true
      return this.#putBack(id)
    }
    // Its type already came from the content, so there is no other type to try.
    const isMistyped = failure.isMistyped && !work.isTypedByContent
    this.store.change(id, { step: 'failed', sentBytes: 0, isMistyped, failure: failure.words })
    if (!failure.isUnanswered) return
    this.#unanswered.add(id)
    if (this.#unanswered.size >= unansweredInARow && !this.#waiting.isEmpty) this.#pauseFor('unreachable')
  }
}

/** A remark if the server stored the file with another type than the browser declared. */
function remarkOn({ contentType }: FileRowFragment, declared: string): string | null {
  const [kept, guess] = [contentType, declared].map((type) => type.split('/')[0])
  return declared === '' || kept === guess ? null : `saved as ${essenceOf(contentType)}`
}

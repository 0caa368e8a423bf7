import type { FileRowFragment } from '../apollo/operations.ts'
import { RefusedError, wordFailure } from '../apollo/takeSuccess.ts'
import { codeOf } from '../apollo/wordRefusal.ts'
import { provedInstead } from './contradiction.ts'
import { declaredType, essenceOf } from './declaredType.ts'
import { BucketError, IntentEnded, type PutBytes, sendFile, type UploadGateway } from './sendFile.ts'
import { isUnfinished, type Pause, type Upload, UploadStore } from './uploadStore.ts'

/** A file that a person wants to upload. */
export interface ChosenFile {
  readonly bytes: File
  /** Default: the name of `bytes`. */
  readonly name?: string
  readonly folder?: string | null
  /** The file that gets a new version. Default: a new file is made. */
  readonly fileId?: string
}

interface Work extends ChosenFile {
  /** The same for every try, so that a retry goes on with what the first try reserved. Null starts afresh. */
  idempotencyKey: string | null
  /** The intent whose reserved space nobody has given back yet. */
  intentId: string | null
  /** Whether the server is to tell the type by the content, and not to believe the browser. */
  isTypedByContent: boolean
  /** Whether its intent ended once before the bytes were there, and a fresh one was made. */
  hasStartedAfresh: boolean
}

export interface QueueParts {
  readonly gatewayOf: (tenant: string) => UploadGateway
  readonly put: PutBytes
  readonly digest: (tenant: string, bytes: Blob) => Promise<string | null>
  readonly newKey: () => string
  readonly onDone: (tenant: string, file: FileRowFragment) => void
  /** Runs a function before the next frame is painted. */
  readonly nextFrame: (run: () => void) => void
}

const sentAtOnce = 3
/** So many uploads in a row without an answer mean that the next ones would get none either. */
const unansweredInARow = 3
const busyPauseMs = 5_000
/** How long signing out waits for what is being committed or cancelled. */
const leavingMs = 3_000

/** Uploads in the order in which they were added, three at a time. It lives beside the pages, so leaving one stops nothing. */
export class UploadQueue {
  readonly store: UploadStore
  readonly #parts: QueueParts
  readonly #work = new Map<string, Work>()
  /** What is being sent, with what stops it. */
  readonly #active = new Map<string, { readonly abort: AbortController; readonly ended: Promise<void> }>()
  /** Ids in their order; those before `#next` have had their turn. */
  #waiting: string[] = []
  #next = 0
  #added = 0
  /** Who is signed in; null until somebody is known to be. */
  #person: string | null = null
  /** Failed for want of an answer since the last answer came. */
  readonly #unanswered = new Set<string>()

  constructor(parts: QueueParts) {
    this.#parts = parts
    this.store = new UploadStore(parts.nextFrame)
  }

  /** `owner` is the e-mail address of whoever chose the files. Nobody else uploads them. */
  add(tenant: string, owner: string, files: readonly ChosenFile[]): void {
    if (this.#person !== null && owner !== this.#person) return
    const added = files.map((file): Upload => {
      this.#added += 1
      const id = String(this.#added).padStart(9, '0')
      this.#work.set(id, {
        ...file,
        idempotencyKey: null,
        intentId: null,
        isTypedByContent: false,
        hasStartedAfresh: false,
      })
      this.#waiting.push(id)
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

  /** Stops an upload and gives its reserved space back. What is being committed can no longer be stopped. */
  cancel(id: string): void {
    const upload = this.store.read(id)
    if (!upload || !isUnfinished(upload) || upload.step === 'committing') return
    this.store.change(id, { step: 'cancelled' })
    void this.#stop(upload)
    this.#startWaiting()
  }

  cancelAll(tenant: string): void {
    const mine = this.store.all().filter((upload) => upload.tenant === tenant)
    // Those that wait go first: stopping one that runs would start the next.
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
      this.#waiting.push(id)
    }
    if (this.store.pause() === 'unreachable') this.resume()
    else this.#startWaiting()
  }

  /** Takes what has ended off the screen, and its bytes out of memory. */
  clearEnded(tenant: string): void {
    const ended = this.store.all().filter((upload) => upload.tenant === tenant && !isUnfinished(upload))
    const intents = ended.flatMap(({ id }) => this.#work.get(id)?.intentId ?? [])
    for (const upload of ended) this.#drop(upload)
    this.store.setNotes(tenant, undefined)
    void this.#takeBack(tenant, intents)
  }

  /** Sends nothing more until `resume`. What is being committed ends first, or three seconds pass. */
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

  /** Goes on, first with what has failed for want of an answer. */
  resume(): void {
    const unanswered = [...this.#unanswered]
    this.#unanswered.clear()
    this.store.setPause(null)
    this.retry(unanswered)
  }

  /** Goes on with the uploads of this person, and drops those of anybody else: nobody may see or continue them. */
  signedInAs(person: string): void {
    this.#person = person
    for (const upload of this.store.all()) if (upload.owner !== person) this.#drop(upload)
    if (this.store.pause() === 'signed-out') this.resume()
  }

  /** Forgets everything, finished or not. */
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

  /** Ends the request of an upload, and gives the space back that its intent has reserved. */
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

  /** One after the other. What cannot be taken back expires by itself. */
  async #takeBack(tenant: string, intentIds: readonly string[]): Promise<void> {
    for (const id of intentIds) {
      await this.#parts
        .gatewayOf(tenant)
        .cancel(id)
        .catch(() => undefined)
    }
  }

  /** To the front, where it came from. */
  #putBack(id: string): void {
    this.store.change(id, { step: 'waiting', sentBytes: 0 })
    if (this.#next === 0) this.#waiting.unshift(id)
    else this.#waiting[(this.#next -= 1)] = id
  }

  #pauseFor(pause: Pause): void {
    if (this.store.pause() === 'leaving') return
    this.store.setPause(pause)
    if (pause !== 'busy') return
    setTimeout(() => this.store.pause() === 'busy' && this.resume(), busyPauseMs)
  }

  #startWaiting(): void {
    while (this.store.pause() === null && this.#active.size < sentAtOnce && this.#next < this.#waiting.length) {
      const id = this.#waiting[this.#next] ?? ''
      this.#next += 1
      const upload = this.store.read(id)
      if (upload?.step === 'waiting' && !this.#active.has(id)) this.#start(upload)
    }
    if (this.#next < this.#waiting.length) return
    this.#waiting = []
    this.#next = 0
  }

  #start(upload: Upload): void {
    const abort = new AbortController()
    // Entered before it runs, since it looks itself up.
    const ended = Promise.resolve().then(() => this.#run(upload, abort))
    this.#active.set(upload.id, { abort, ended })
    this.store.change(upload.id, { step: 'checking', failure: null, sentBytes: 0 })
  }

  async #run({ id, tenant }: Upload, { signal }: AbortController): Promise<void> {
    const work = this.#work.get(id)
    if (!work) return
    try {
      const file = await this.#send(id, tenant, work, signal)
      // Whoever dropped it meanwhile has signed out: nobody is left to be told.
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

  async #send(id: string, tenant: string, work: Work, signal: AbortSignal): Promise<FileRowFragment> {
    const { bytes, name = bytes.name, fileId = null } = work
    const contentType = work.isTypedByContent ? '' : declaredType(bytes)
    const proved = await provedInstead(bytes, contentType)
    if (proved !== null) throw new Mistyped(proved, contentType)
    work.idempotencyKey ??= this.#parts.newKey()
    const { idempotencyKey } = work
    const sha256 = await this.#parts.digest(tenant, bytes)
    signal.throwIfAborted()
    return sendFile(this.#parts.gatewayOf(tenant), this.#parts.put, {
      bytes,
      announced: { name, contentType, byteSize: bytes.size, sha256, fileId, idempotencyKey },
      signal,
      onIntent: (intentId) => {
        // Cancelled while the intent was being made: nobody else knows of it, so it is taken back here.
        if (signal.aborted) return void this.#takeBack(tenant, [intentId])
        work.intentId = intentId
        this.store.change(id, { step: 'sending' })
      },
      onSent: (sentBytes) => !signal.aborted && this.store.change(id, { sentBytes }),
      onCommitting: () => this.store.change(id, { step: 'committing' }),
    })
  }

  #fail(id: string, work: Work, error: unknown): void {
    const code = error instanceof RefusedError ? error.refusal.code : codeOf(error)
    if (code === 'UNAUTHENTICATED' || code === 'RATE_LIMITED') {
      this.#putBack(id)
      return this.#pauseFor(code === 'RATE_LIMITED' ? 'busy' : 'signed-out')
    }
    const isOver = error instanceof IntentEnded || (error instanceof RefusedError && code !== 'UPLOAD_INCOMPLETE')
    if (isOver) {
      // Only a fresh intent can do better: this one has ended, or would be refused again.
      work.idempotencyKey = null
      work.intentId = null
    }
    if (error instanceof IntentEnded && !work.hasStartedAfresh) {
      work.hasStartedAfresh = true
      return this.#putBack(id)
    }
    const isMistyped = error instanceof Mistyped || (code === 'CONTENT_MISMATCH' && !work.isTypedByContent)
    this.store.change(id, { step: 'failed', sentBytes: 0, isMistyped, failure: wordUploadFailure(error) })
    if (code !== 'NETWORK' && code !== 'SERVICE_UNAVAILABLE') return
    this.#unanswered.add(id)
    const isMoreWaiting = this.#next < this.#waiting.length
    if (this.#unanswered.size >= unansweredInARow && isMoreWaiting) this.#pauseFor('unreachable')
  }
}

/** What the first bytes show before anything is sent. */
class Mistyped extends Error {
  constructor(proved: string, declared: string) {
    super(`The content is ${proved}, not ${essenceOf(declared)}.`)
  }
}

/** Tells if the server keeps the file as another kind than the browser took it for. */
function remarkOn({ contentType }: FileRowFragment, declared: string): string | null {
  const [kept, guess] = [contentType, declared].map((type) => type.split('/')[0])
  return declared === '' || kept === guess ? null : `saved as ${essenceOf(contentType)}`
}

function wordUploadFailure(error: unknown): string {
  if (error instanceof BucketError || error instanceof IntentEnded || error instanceof Mistyped) return error.message
  if (error instanceof DOMException && (error.name === 'NotReadableError' || error.name === 'NotFoundError')) {
    return 'The file cannot be read. It may have been moved or changed since you chose it. Choose it again.'
  }
  return wordFailure(error)
}

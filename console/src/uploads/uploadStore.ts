export type UploadStep = 'waiting' | 'checking' | 'sending' | 'committing' | 'done' | 'failed' | 'cancelled'

/** One upload as the screen shows it. Each change makes a new object. */
export interface Upload {
  /** Ids sort in the order in which the uploads were added. */
  readonly id: string
  readonly tenant: string
  /** The e-mail address of the person who added it. */
  readonly owner: string
  readonly name: string
  /** The path of the dropped folder with the file. Null if the file was chosen or dropped by itself. */
  readonly folder: string | null
  readonly byteSize: number
  readonly sentBytes: number
  readonly step: UploadStep
  /** Why it failed, in words. Null if it did not. */
  readonly failure: string | null
  /** Whether it failed because the content is of another type than the browser declared, and can be retried with the real type. */
  readonly isMistyped: boolean
  /** A remark on a successful upload, in words, or null. */
  readonly remark: string | null
}

/** Failed uploads that share a reason. */
export interface FailureGroup {
  readonly reason: string
  /** The id of its first upload. */
  readonly isMistyped: boolean
  readonly ids: readonly string[]
}

/** The sum of all uploads of a tenant. Replaced at most once a frame. */
export interface UploadView {
  /** Running, failed, waiting, cancelled, and then finished uploads, newest first. */
  readonly ids: readonly string[]
  readonly count: Readonly<Record<UploadStep, number>>
  readonly unfinished: number
  readonly byteSize: number
  readonly sentBytes: number
  /** The largest group first. */
  readonly failures: readonly FailureGroup[]
}

/** Why sending is paused: the session has ended, somebody signs out, the API asks to slow down or does not respond. */
export type Pause = 'signed-out' | 'leaving' | 'busy' | 'unreachable'

/** What was found in dropped or chosen folders. */
export interface FolderNotes {
  readonly isReading: boolean
  /** The number of files in folders. */
  readonly files: number
  /** Files and folders that operating systems leave behind, such as `.DS_Store`. */
  readonly junk: number
  readonly emptyFolders: number
  /** Paths that could not be read. */
  readonly unreadable: readonly string[]
}

export const running: readonly UploadStep[] = ['checking', 'sending', 'committing']
const unfinished: readonly UploadStep[] = ['waiting', ...running]
export const isUnfinished = ({ step }: Upload) => unfinished.includes(step)

const noCount = { waiting: 0, checking: 0, sending: 0, committing: 0, done: 0, failed: 0, cancelled: 0 }
const emptyView: UploadView = { ids: [], count: noCount, unfinished: 0, byteSize: 0, sentBytes: 0, failures: [] }

type Listener = () => void

/**
 * The uploads of this tab by id, outside React. A change updates only its row and the sum of its tenant. Listeners are called at
 * most once per call of `nextFrame`, for any number of changes.
 */
export class UploadStore {
  readonly #uploads = new Map<string, Upload>()
  readonly #views = new Map<string, UploadView>()
  readonly #rowListeners = new Map<string, Set<Listener>>()
  readonly #viewListeners = new Set<Listener>()
  readonly #changedIds = new Set<string>()
  readonly #changedTenants = new Set<string>()
  readonly #notes = new Map<string, FolderNotes>()
  readonly #nextFrame: (run: Listener) => void
  #busyTenants: readonly string[] = []
  #pause: Pause | null = null
  #isScheduled = false

  constructor(nextFrame: (run: Listener) => void) {
    this.#nextFrame = nextFrame
  }

  readonly read = (id: string): Upload | undefined => this.#uploads.get(id)

  all(): readonly Upload[] {
    return [...this.#uploads.values()]
  }

  /** As of the last frame. */
  readonly view = (tenant: string): UploadView => this.#views.get(tenant) ?? emptyView

  /** The tenants with unfinished uploads, as of the last frame. */
  readonly busyTenants = (): readonly string[] => this.#busyTenants

  readonly pause = (): Pause | null => this.#pause

  readonly notes = (tenant: string): FolderNotes | undefined => this.#notes.get(tenant)

  setPause(pause: Pause | null): void {
    this.#pause = pause
    this.#schedule()
  }

  setNotes(tenant: string, notes: FolderNotes | undefined): void {
    if (notes) this.#notes.set(tenant, notes)
    else this.#notes.delete(tenant)
    this.#schedule()
  }

  clearNotes(): void {
    this.#notes.clear()
    this.#schedule()
  }

  readonly subscribe = (listener: Listener) => {
    this.#viewListeners.add(listener)
    return () => void this.#viewListeners.delete(listener)
  }

  subscribeTo(id: string, listener: Listener) {
    const listeners = this.#rowListeners.get(id) ?? new Set()
    this.#rowListeners.set(id, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#rowListeners.delete(id)
    }
  }

  add(uploads: readonly Upload[]): void {
    for (const upload of uploads) {
      this.#uploads.set(upload.id, upload)
      this.#mark(upload)
    }
  }

  change(id: string, changes: Partial<Upload>): void {
    const upload = this.#uploads.get(id)
    if (!upload) return
    this.#uploads.set(id, { ...upload, ...changes })
    this.#mark(upload)
  }

  remove(id: string): void {
    const upload = this.#uploads.get(id)
    if (!upload) return
    this.#uploads.delete(id)
    this.#mark(upload)
  }

  #mark({ id, tenant }: Upload): void {
    this.#changedIds.add(id)
    this.#changedTenants.add(tenant)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#nextFrame(() => this.#tell())
  }

  #tell(): void {
    this.#isScheduled = false
    const ids = [...this.#changedIds]
    for (const tenant of this.#changedTenants) this.#views.set(tenant, viewOf(this.#uploads.values(), tenant))
    this.#changedIds.clear()
    this.#changedTenants.clear()
    this.#busyTenants = [...this.#views].filter(([, view]) => view.unfinished > 0).map(([tenant]) => tenant)
    for (const id of ids) for (const listener of this.#rowListeners.get(id) ?? []) listener()
    for (const listener of this.#viewListeners) listener()
  }
}

function viewOf(uploads: Iterable<Upload>, tenant: string): UploadView {
  const byStep: Record<UploadStep, string[]> = {
    failed: [],
    checking: [],
    sending: [],
    committing: [],
    waiting: [],
    cancelled: [],
    done: [],
  }
  const failures = new Map<string, Upload[]>()
  let byteSize = 0
  let sentBytes = 0
  for (const upload of uploads) {
    if (upload.tenant !== tenant) continue
    byStep[upload.step].push(upload.id)
    if (upload.step === 'failed') addTo(failures, upload)
    if (upload.step === 'failed' || upload.step === 'cancelled') continue
    byteSize += upload.byteSize
    sentBytes += upload.sentBytes
  }
  const { failed, checking, sending, committing, waiting, cancelled, done } = byStep
  const active = [...checking, ...sending, ...committing].sort()
  const count = Object.fromEntries(Object.entries(byStep).map(([step, ids]) => [step, ids.length]))
  return {
    ids: [...active, ...failed, ...waiting, ...cancelled, ...done.reverse()],
    count: count as UploadView['count'],
    unfinished: active.length + waiting.length,
    byteSize,
    sentBytes,
    failures: [...failures].map(groupOf).sort((a, b) => b.ids.length - a.ids.length),
  }
}

const groupOf = ([reason, uploads]: [string, readonly Upload[]]): FailureGroup => ({
  reason,
  isMistyped: uploads[0]?.isMistyped === true,
  ids: uploads.map(({ id }) => id),
})

function addTo(failures: Map<string, Upload[]>, upload: Upload): void {
  const reason = upload.failure ?? ''
  const uploads = failures.get(reason)
  if (uploads) uploads.push(upload)
  else failures.set(reason, [upload])
}

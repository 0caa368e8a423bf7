import { RefusedError, wordFailure } from '../apollo/takeSuccess.ts'
import type { FileRowFragment } from '../apollo/operations.ts'
import { declaredType } from './declaredType.ts'
import { BucketError, type PutBytes, sendFile, type UploadGateway } from './sendFile.ts'

export type UploadStep = 'waiting' | 'checking' | 'sending' | 'committing' | 'done' | 'failed' | 'cancelled'

/** What the screen shows of one upload. */
export interface Upload {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly byteSize: number
  readonly sentBytes: number
  readonly step: UploadStep
  /** Why it failed, in words; null otherwise. */
  readonly failure: string | null
}

interface Work {
  readonly bytes: File
  readonly fileId: string | null
  idempotencyKey: string
  intentId: string | null
  abort: AbortController
}

export interface QueueParts {
  readonly gatewayOf: (tenant: string) => UploadGateway
  readonly put: PutBytes
  readonly digest: (bytes: Blob) => Promise<string | null>
  readonly newKey: () => string
  readonly onDone: (tenant: string, file: FileRowFragment) => void
}

const sentAtOnce = 3
const running: readonly UploadStep[] = ['checking', 'sending', 'committing']
const unfinished: readonly UploadStep[] = ['waiting', ...running]
export const isUnfinished = ({ step }: Upload) => unfinished.includes(step)

/** Uploads in the order in which they were added, three at a time. It lives beside the pages, so leaving one stops nothing. */
export function createUploadQueue(parts: QueueParts) {
  const work = new Map<string, Work>()
  const listeners = new Set<() => void>()
  let uploads: readonly Upload[] = []

  const replace = (next: readonly Upload[]) => {
    uploads = next
    for (const listener of listeners) listener()
  }
  const change = (id: string, changes: Partial<Upload>) =>
    replace(uploads.map((upload) => (upload.id === id ? { ...upload, ...changes } : upload)))
  const stepOf = (id: string) => uploads.find((upload) => upload.id === id)?.step

  function startWaiting() {
    const busy = uploads.filter(({ step }) => running.includes(step)).length
    const next = uploads.filter(({ step }) => step === 'waiting').slice(0, Math.max(0, sentAtOnce - busy))
    for (const upload of next) void run(upload)
  }

  async function run({ id, tenant }: Upload) {
    const mine = work.get(id)
    if (!mine) return
    const { signal } = mine.abort
    change(id, { step: 'checking', failure: null, sentBytes: 0 })
    try {
      const file = await send(id, tenant, mine, signal)
      change(id, { step: 'done', sentBytes: mine.bytes.size })
      work.delete(id)
      parts.onDone(tenant, file)
    } catch (error) {
      if (!signal.aborted) fail(id, mine, error)
    }
    startWaiting()
  }

  async function send(id: string, tenant: string, mine: Work, signal: AbortSignal) {
    const { bytes, fileId, idempotencyKey } = mine
    const sha256 = await parts.digest(bytes)
    signal.throwIfAborted()
    return sendFile(parts.gatewayOf(tenant), parts.put, {
      bytes,
      announced: {
        name: bytes.name,
        contentType: declaredType(bytes),
        byteSize: bytes.size,
        sha256,
        fileId,
        idempotencyKey,
      },
      signal,
      onIntent: (intentId) => {
        mine.intentId = intentId
        // Cancelled while the intent was being made: nobody else knows of it, so it is taken back here.
        if (signal.aborted) void takeBack(tenant, intentId)
        else change(id, { step: 'sending' })
      },
      onSent: (sentBytes) => !signal.aborted && change(id, { sentBytes }),
      onCommitting: () => change(id, { step: 'committing' }),
    })
  }

  function fail(id: string, mine: Work, error: unknown) {
    // A refusal ends the intent or says that it would be refused again: only a fresh one can do better.
    if (error instanceof RefusedError && error.refusal.code !== 'UPLOAD_INCOMPLETE')
      mine.idempotencyKey = parts.newKey()
    change(id, { step: 'failed', failure: wordUploadFailure(error) })
  }

  const takeBack = (tenant: string, intentId: string) =>
    parts
      .gatewayOf(tenant)
      .cancel(intentId)
      .catch(() => undefined)

  return {
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    uploads: () => uploads,

    /** Adds files; with `fileId` they become versions of that file. */
    add(tenant: string, files: readonly File[], fileId: string | null = null) {
      const added = files.map((bytes): Upload => {
        const id = parts.newKey()
        work.set(id, { bytes, fileId, idempotencyKey: parts.newKey(), intentId: null, abort: new AbortController() })
        return { id, tenant, name: bytes.name, byteSize: bytes.size, sentBytes: 0, step: 'waiting', failure: null }
      })
      replace([...uploads, ...added])
      startWaiting()
    },

    /** Stops an upload and gives its reserved space back. What is being committed can no longer be stopped. */
    cancel(id: string) {
      const mine = work.get(id)
      const step = stepOf(id)
      if (!mine || !step || step === 'committing' || !unfinished.includes(step)) return
      change(id, { step: 'cancelled' })
      mine.abort.abort()
      const tenant = uploads.find((upload) => upload.id === id)?.tenant
      if (mine.intentId !== null && tenant !== undefined) void takeBack(tenant, mine.intentId)
      mine.idempotencyKey = parts.newKey()
      mine.intentId = null
      startWaiting()
    },

    retry(id: string) {
      const mine = work.get(id)
      const step = stepOf(id)
      if (!mine || (step !== 'failed' && step !== 'cancelled')) return
      mine.abort = new AbortController()
      change(id, { step: 'waiting', failure: null, sentBytes: 0 })
      startWaiting()
    },

    /** Takes what has ended off the screen, and its bytes out of memory. */
    clearEnded() {
      const kept = uploads.filter(isUnfinished)
      for (const id of work.keys()) if (!kept.some((upload) => upload.id === id)) work.delete(id)
      replace(kept)
    },
  }
}

function wordUploadFailure(error: unknown): string {
  if (error instanceof BucketError) return error.message
  if (error instanceof DOMException && error.name === 'NotReadableError') {
    return 'The file cannot be read. It may have been moved or changed since you chose it.'
  }
  return wordFailure(error)
}

import type { FileRowFragment, UploadIntentState } from '../apollo/operations.ts'

/** The calls to the API that an upload needs. Each throws the refusal if it was refused. */
export interface UploadGateway {
  createIntent(announced: Announced): Promise<Intent>
  commit(id: string): Promise<FileRowFragment>
  cancel(id: string): Promise<void>
}

export interface Announced {
  readonly name: string
  readonly contentType: string
  readonly byteSize: number
  readonly sha256: string | null
  /** The file that gets a new version; null makes a new file. */
  readonly fileId: string | null
  /** The same for every attempt of one upload, so that a retry uses the space that the first attempt reserved. */
  readonly idempotencyKey: string
}

export interface Intent {
  readonly id: string
  readonly state: UploadIntentState
  readonly method: string
  readonly url: string | null
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

/** Sends the bytes. Resolves with the status of the response, and rejects if there was none. */
export type PutBytes = (
  intent: Intent & { readonly url: string },
  bytes: Blob,
  options: { readonly signal: AbortSignal; readonly onSent: (bytes: number) => void },
) => Promise<number>

export interface Sending {
  readonly bytes: Blob
  readonly announced: Announced
  readonly signal: AbortSignal
  readonly onIntent: (id: string) => void
  readonly onSent: (bytes: number) => void
  readonly onCommitting: () => void
}

/**
 * Creates the intent, sends the bytes to the bucket, and commits. Safe to repeat with the same key after any failure: finished
 * steps are not repeated. Status 412 means that the bytes are already there, and the commit decides.
 */
export async function sendFile(gateway: UploadGateway, put: PutBytes, sending: Sending): Promise<FileRowFragment> {
  const intent = await gateway.createIntent(sending.announced)
  sending.onIntent(intent.id)
  sending.signal.throwIfAborted()
  if (intent.state === 'CANCELLED' || intent.state === 'EXPIRED') {
    throw new IntentEnded()
  }
  if (intent.url !== null) {
    const status = await put({ ...intent, url: intent.url }, sending.bytes, sending)
    if (!arrived(status)) throw new BucketError(status)
  }
  sending.signal.throwIfAborted()
  sending.onCommitting()
  return gateway.commit(intent.id)
}

const arrived = (status: number) => (status >= 200 && status < 300) || status === 412

/** The intent was cancelled or has expired before the bytes arrived. */
export class IntentEnded extends Error {
  constructor() {
    super('This upload ended before it was complete. Try again.')
  }
}

/** The bucket refused the bytes. */
export class BucketError extends Error {
  constructor(status: number) {
    super(wordBucketStatus(status))
  }
}

function wordBucketStatus(status: number): string {
  if (status === 403) return 'The permission to send this file has run out. Try again.'
  if (status === 400) return 'The file changed on the way, or on your disk. Try again.'
  return 'The storage did not accept the file. Try again in a moment.'
}

/** Uses XMLHttpRequest, because `fetch` has no upload progress. Sends no cookie to the bucket. */
export const putBytes: PutBytes = (intent, bytes, { signal, onSent }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(intent.method, intent.url)
    for (const { name, value } of intent.headers) {
      if (!setByBrowser.has(name.toLowerCase())) request.setRequestHeader(name, value)
    }
    request.upload.onprogress = ({ loaded }) => onSent(loaded)
    request.onload = () => resolve(request.status)
    request.onerror = () => reject(new TypeError('The bucket could not be reached'))
    request.onabort = () => reject(signal.reason)
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(bytes)
  })

/** Headers that scripts cannot set. Browsers set them correctly. */
const setByBrowser = new Set(['content-length', 'host'])

/** Browsers hash only whole buffers, so that a larger file would have to be in memory. */
const largestHashedBytes = 64 * 1024 * 1024

/** SHA-256 in 64 hexadecimal digits. Null for files over 64 MiB, and on pages outside a secure context. */
export async function sha256Of(bytes: Blob): Promise<string | null> {
  if (bytes.size > largestHashedBytes || !globalThis.crypto?.subtle) return null
  const digest = await crypto.subtle.digest('SHA-256', await bytes.arrayBuffer())
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

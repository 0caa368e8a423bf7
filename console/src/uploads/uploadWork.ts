import type { FileRowFragment } from '../apollo/operations.ts'
import { declaredType } from './declaredType.ts'
import { type PutBytes, sendFile, type Sending, type UploadGateway } from './sendFile.ts'
import { Mistyped } from './uploadFailure.ts'

/** Formats that their first bytes identify, with those bytes in Latin-1. */
const signatures: readonly (readonly [type: string, start: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff[\xc0-\xcf\xdb\xdd\xe0-\xef\xfe]/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBPVP8[ LX]/],
  ['application/pdf', /^%PDF-[12]\.\d\r?\n?%[\x80-\xff]{2}/],
]

const startBytes = 16

/** Types that the server also recognises by the bytes. The browser's type is a guess for all others. */
const known =
  /^(image\/(png|jpeg|gif|webp)|application\/pdf|audio\/(flac|ogg|wav)|video\/(mp4|webm|quicktime|x-matroska))$/

/**
 * The type that the bytes prove, if the server would certainly refuse them under the declared type. Null otherwise: the server
 * corrects many types itself, and knows more formats.
 */
export async function provedInstead(bytes: Blob, declared: string): Promise<string | null> {
  const essence = declared.split(';')[0] ?? ''
  if (!known.test(essence)) return null
  const start = await bytes.slice(0, startBytes).arrayBuffer()
  const text = String.fromCharCode(...new Uint8Array(start))
  const proved = signatures.find(([, signature]) => signature.test(text))?.[0]
  const isOtherKind = proved !== undefined && proved.split('/')[0] !== essence.split('/')[0]
  return isOtherKind ? proved : null
}

/** A file that a person wants to upload. */
export interface ChosenFile {
  readonly bytes: File
  /** Default: the name of `bytes`. */
  readonly name?: string
  readonly folder?: string | null
  /** The file that gets a new version. Default: a new file is made. */
  readonly fileId?: string
}

/** The state of a chosen file between two attempts. */
export interface Work extends ChosenFile {
  /** The idempotency key. A retry with the same key uses the space that the first attempt reserved. Null starts over. */
  idempotencyKey: string | null
  /** The intent whose reserved space is not released yet. */
  intentId: string | null
  /** Whether the server detects the type from the content instead of using the browser's. */
  isTypedByContent: boolean
  /** Whether the intent ended before the bytes arrived, and was replaced once. */
  hasStartedAfresh: boolean
}

export const workOn = (file: ChosenFile): Work => ({
  ...file,
  idempotencyKey: null,
  intentId: null,
  isTypedByContent: false,
  hasStartedAfresh: false,
})

export interface SendingParts {
  readonly gatewayOf: (tenant: string) => UploadGateway
  readonly put: PutBytes
  readonly digest: (tenant: string, bytes: Blob) => Promise<string | null>
  readonly newKey: () => string
}

/** One attempt. Rejects with `Mistyped` before anything is sent if the first bytes contradict the type. */
export async function sendWork(
  { gatewayOf, put, digest, newKey }: SendingParts,
  tenant: string,
  work: Work,
  progress: Omit<Sending, 'bytes' | 'announced'>,
): Promise<FileRowFragment> {
  const { bytes, name = bytes.name, fileId = null } = work
  const contentType = work.isTypedByContent ? '' : declaredType(bytes)
  const proved = await provedInstead(bytes, contentType)
  if (proved !== null) throw new Mistyped(proved, contentType)
  work.idempotencyKey ??= newKey()
  const { idempotencyKey } = work
  const sha256 = await digest(tenant, bytes)
  progress.signal.throwIfAborted()
  const announced = { name, contentType, byteSize: bytes.size, sha256, fileId, idempotencyKey }
  return sendFile(gatewayOf(tenant), put, { ...progress, bytes, announced })
}

import type { FileRowFragment } from '../apollo/operations.ts'
import { provedInstead } from './contradiction.ts'
import { declaredType } from './declaredType.ts'
import { type PutBytes, sendFile, type Sending, type UploadGateway } from './sendFile.ts'
import { Mistyped } from './uploadFailure.ts'

/** A file that a person wants to upload. */
export interface ChosenFile {
  readonly bytes: File
  /** Default: the name of `bytes`. */
  readonly name?: string
  readonly folder?: string | null
  /** The file that gets a new version. Default: a new file is made. */
  readonly fileId?: string
}

/** What the queue remembers of a chosen file between two tries. */
export interface Work extends ChosenFile {
  /** The same for every try, so that a retry goes on with what the first try reserved. Null starts afresh. */
  idempotencyKey: string | null
  /** The intent whose reserved space nobody has given back yet. */
  intentId: string | null
  /** Whether the server is to tell the type by the content, and not to believe the browser. */
  isTypedByContent: boolean
  /** Whether its intent ended once before the bytes were there, and a fresh one was made. */
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

/** One try. Rejects with `Mistyped` before anything is sent if the first bytes contradict the type. */
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

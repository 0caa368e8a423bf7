import type { Retention } from '../../files/changeFile.ts'
import { acceptFileName } from '../../files/fileName.ts'
import { limits } from '../../limits.ts'
import { acceptContentType, unknownType } from '../../mediaTypes/mediaType.ts'
import { expectedType } from '../../mediaTypes/typeOfName.ts'
import { isAllowedType } from '../../mediaTypes/typePattern.ts'
import { Invalid } from '../../refusals.ts'
import type { Tenant } from '../../tenants/findTenant.ts'

/** The client's declaration of the bytes that it will send. */
export interface UploadRequest {
  readonly name: string
  readonly contentType: string
  readonly byteSize: number
  readonly sha256: string | null
  /** The file that gets a new version. Null: a new file. */
  readonly fileId: string | null
  readonly idempotencyKey: string | null
  /** The retention of the new file. Null: KEPT. */
  readonly retention: Retention | null
}

/** Returns the declaration in its canonical form. Throws `Invalid` with the name of the field. */
export function acceptDeclaration(request: UploadRequest): UploadRequest {
  if (!Number.isSafeInteger(request.byteSize) || request.byteSize < 0) {
    throw new Invalid('byteSize', 'The size must be a whole number of bytes, at least 0.', 0)
  }
  if (request.fileId !== null && request.retention !== null) {
    throw new Invalid('retention', 'A new version leaves the retention of its file as it is: use changeRetention.')
  }
  return {
    ...request,
    name: acceptFileName(request.name),
    contentType: acceptContentType(request.contentType),
    sha256: acceptSha256(request.sha256),
    idempotencyKey: acceptIdempotencyKey(request.idempotencyKey),
  }
}

/** Checks the tenant's policy, which is read inside the transaction. */
export function refuseAgainstPolicy(policy: Tenant, declared: UploadRequest): void {
  if (declared.byteSize > policy.maxFileBytes)
    throw new Invalid('byteSize', `This tenant accepts at most ${policy.maxFileBytes} bytes.`, policy.maxFileBytes)
  if (!isAllowedDeclaration(policy.allowedContentTypes, declared)) {
    throw new Invalid('contentType', 'This tenant does not accept files of this type.')
  }
}

/** Without a declared type, either the type of the extension or unknown bytes must be allowed. */
function isAllowedDeclaration(allowed: readonly string[] | null, { name, contentType }: UploadRequest): boolean {
  const isUnknown = contentType === unknownType
  return isAllowedType(allowed, expectedType(name, contentType)) || (isUnknown && isAllowedType(allowed, unknownType))
}

/** True if a repeated request describes the same upload. */
export function isSameDeclaration(
  one: UploadRequest,
  other: Omit<UploadRequest, 'idempotencyKey' | 'fileId'> & { readonly targetFileId: string | null },
): boolean {
  return (
    one.name === other.name &&
    one.contentType === other.contentType &&
    one.byteSize === other.byteSize &&
    one.sha256 === other.sha256 &&
    one.fileId === other.targetFileId &&
    (one.retention ?? 'KEPT') === other.retention
  )
}

function acceptSha256(text: string | null): string | null {
  if (text === null) return null
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new Invalid('sha256', 'A SHA-256 has 64 hexadecimal digits.')
  return text.toLowerCase()
}

function acceptIdempotencyKey(text: string | null): string | null {
  if (text === null) return null
  const most = limits.idempotencyKeyCharacters
  const message = `An idempotency key has 1 to ${most} printable ASCII characters.`
  if (text.length < 1 || text.length > most) throw new Invalid('idempotencyKey', message, text.length < 1 ? 1 : most)
  if (!/^[\x20-\x7e]+$/.test(text)) throw new Invalid('idempotencyKey', message)
  return text
}

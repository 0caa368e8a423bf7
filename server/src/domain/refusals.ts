import type { PrincipalKind } from './context.ts'

/**
 * Every refusal that a caller can handle. Those with a GraphQL type are results of mutations. The others are top-level
 * errors with `extensions.code`. Any other error is a defect and is masked.
 *
 * Messages are sentences for people and name the exceeded limit. They never contain another tenant's data, SQL or keys.
 */
export abstract class Refusal extends Error {
  abstract readonly code: RefusalCode
}

export const answerCodes = [
  'NOT_FOUND',
  'VALIDATION',
  'QUOTA_EXCEEDED',
  'UPLOAD_INCOMPLETE',
  'CONTENT_MISMATCH',
  'FILE_IN_USE',
  'CONFLICT',
] as const

export type RefusalCode =
  | (typeof answerCodes)[number]
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'BAD_USER_INPUT'

/**
 * The object does not exist in this tenant. The message is the same for a foreign id and for one that never existed.
 */
export class NotFound extends Refusal {
  override readonly name = 'NotFoundError'
  readonly code = 'NOT_FOUND'
  constructor(what: 'file' | 'version' | 'upload intent' | 'API key' | 'cleanup run' | 'member') {
    super(`There is no such ${what}.`)
  }
}

/**
 * An invalid value. `path` leads from the input to the value, such as `['uploads', '3', 'name']`; a string is a path of
 * one part. `bound` is the exceeded limit, in the unit of the value.
 */
export class Invalid extends Refusal {
  override readonly name = 'ValidationError'
  readonly code = 'VALIDATION'
  readonly path: readonly string[]
  readonly bound: number | null
  constructor(path: string | readonly string[], message: string, bound: number | null = null) {
    super(message)
    this.path = typeof path === 'string' ? [path] : path
    this.bound = bound
  }

  /** The last part of the path. */
  get field(): string {
    return this.path.at(-1) ?? ''
  }
}

/**
 * Both sizes are in bytes and were read in the refusing transaction. `availableBytes` is 0 if the tenant exceeds its
 * quota.
 */
export class QuotaExceeded extends Refusal {
  override readonly name = 'QuotaExceededError'
  readonly code = 'QUOTA_EXCEEDED'
  readonly neededBytes: number
  readonly availableBytes: number
  constructor(neededBytes: number, availableBytes: number) {
    super(`The upload needs ${neededBytes} bytes, but only ${availableBytes} bytes of the quota are left.`)
    this.neededBytes = neededBytes
    this.availableBytes = availableBytes
  }
}

/** The bytes have not arrived. The intent is unchanged. The caller can send them and commit again. */
export class UploadIncomplete extends Refusal {
  override readonly name = 'UploadIncompleteError'
  readonly code = 'UPLOAD_INCOMPLETE'
  constructor() {
    super('The content has not arrived yet. Send it to the address of the upload intent, then commit again.')
  }
}

/** The bytes do not match the declaration. The intent has ended, and its bytes are released. */
export class ContentMismatch extends Refusal {
  override readonly name = 'ContentMismatchError'
  readonly code = 'CONTENT_MISMATCH'
}

/** An attachment in a refusal. */
export interface FileUse {
  readonly id: string
  readonly fileId: string
  readonly ownerType: string
  readonly ownerId: string
  readonly slot: string
  readonly createdAt: Date
  readonly creator: {
    readonly id: string
    readonly kind: PrincipalKind
    readonly name: string
    readonly email: string | null
  }
}

/** The file has attachments. */
export class FileInUse extends Refusal {
  override readonly name = 'FileInUseError'
  readonly code = 'FILE_IN_USE'
  /** The first attachments. */
  readonly attachments: readonly FileUse[]
  readonly attachmentCount: number
  constructor(attachments: readonly FileUse[], attachmentCount: number) {
    super('The file is in use and cannot be deleted. Detach it from everything that uses it first.')
    this.attachments = attachments
    this.attachmentCount = attachmentCount
  }
}

const conflictReasons = [
  'ALREADY_COMMITTED',
  'ALREADY_MEMBER',
  'CHANGED_SINCE',
  'FILE_HELD',
  'IDEMPOTENCY_KEY_REUSED',
  'INTENT_CANCELLED',
  'INTENT_EXPIRED',
  'LAST_OWNER',
  'NAME_TAKEN',
  'NOT_TRASHED',
  'QUARANTINED',
  'TRASHED',
  'VERSION_PENDING',
  'WOULD_BE_INSIDE_ITSELF',
] as const

export type ConflictReason = (typeof conflictReasons)[number]

/** The current state does not allow the change. `reason` is machine-readable. */
export class Conflict extends Refusal {
  override readonly name = 'ConflictError'
  readonly code = 'CONFLICT'
  readonly reason: ConflictReason
  constructor(reason: ConflictReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** The credentials are missing or not accepted. The reason is not disclosed. */
export class Unauthenticated extends Refusal {
  override readonly name = 'Unauthenticated'
  readonly code = 'UNAUTHENTICATED'
  constructor(message = 'Sign in, or send a valid API key or token.') {
    super(message)
  }
}

export class Forbidden extends Refusal {
  override readonly name = 'Forbidden'
  readonly code = 'FORBIDDEN'
  constructor(message = 'Your role does not allow this.') {
    super(message)
  }
}

export class RateLimited extends Refusal {
  override readonly name = 'RateLimited'
  readonly code = 'RATE_LIMITED'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super('Too many requests. Please wait a moment.')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** An invalid argument of a query. */
export class BadInput extends Refusal {
  override readonly name = 'BadInput'
  readonly code = 'BAD_USER_INPUT'
}

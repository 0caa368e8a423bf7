import type { CleanupSettings } from '../cleanup/cleanupSettings.ts'
import type { Context } from '../context.ts'
import type { TenantName } from '../tenants/findTenant.ts'

/** What the checks work with. They ask, and change nothing. */
export type IntegrityContext = Pick<Context, 'database' | 'blobs' | 'now'> & { readonly cleanup: CleanupSettings }

export type Invariant =
  /** Versions that are kept have bytes of the size and etag that were committed. */
  | 'BYTES'
  /** No bytes are known to be damaged. */
  | 'QUARANTINE'
  /** A version is as long as its bytes. */
  | 'VERSION_SIZE'
  /** The versions of a file are numbered without gaps, the current one is the last, and all lie in ready bytes. */
  | 'VERSIONS'
  /** Type and size of a file are those of its current version, its name is the one that it was given last. */
  | 'FILE_AS_VERSION'
  /** `files.attachment_count` equals the attachments. */
  | 'ATTACHMENT_COUNT'
  /** `blobs.refcount` equals the versions, and only ready bytes have any. */
  | 'REFCOUNT'
  /** `tenant_usage` equals what it counts. */
  | 'USAGE'
  /** A file in use is not in the trash, a held one not purged, a purged one has neither versions nor attachments. */
  | 'LIFECYCLE'
  /** An object key lies under its row's tenant and blob. */
  | 'KEY'
  /** No object without a row stays for longer than the grace. */
  | 'ORPHAN'
  /** Nothing stays in `deleting` or `pending` past its limit. */
  | 'OVERDUE'
  /** One audit entry and one event for each change. */
  | 'JOURNAL'
  /** The journal says that bytes were released when they were, and only then. */
  | 'RELEASE'
  /** The bucket belongs to this database. */
  | 'BUCKET'

/** Something amiss; INFORMATION is worth knowing and no violation. */
export interface Finding {
  readonly severity: 'VIOLATION' | 'INFORMATION'
  readonly invariant: Invariant
  /** Null for what concerns the whole installation. */
  readonly tenant: TenantName | null
  readonly subject: Subject
  /** A sentence for people. */
  readonly message: string
}

export interface Subject {
  readonly type: 'file' | 'blob' | 'upload' | 'object' | 'tenant' | 'change' | 'bucket'
  /** A UUID, or the key of an object. */
  readonly id: string
}

export const violation = (
  invariant: Invariant,
  tenant: TenantName | null,
  type: Subject['type'],
  id: string,
  message: string,
): Finding => ({ severity: 'VIOLATION', invariant, tenant, subject: { type, id }, message })

export const information = (
  invariant: Invariant,
  tenant: TenantName | null,
  type: Subject['type'],
  id: string,
  message: string,
): Finding => ({ ...violation(invariant, tenant, type, id, message), severity: 'INFORMATION' })

import type { SQL } from 'drizzle-orm'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import type { Context } from '../context.ts'
import type { CleanupSettings } from '../sweeps/runs/settings.ts'
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
  /** One audit entry and one event for each change, numbered alike and without a gap. */
  | 'JOURNAL'
  /** The journal says that bytes were released when they were, and only then. */
  | 'RELEASE'
  /** The bucket belongs to this database. */
  | 'BUCKET'

/** A violation, or INFORMATION that is worth knowing. */
export interface Finding {
  readonly severity: 'VIOLATION' | 'INFORMATION'
  readonly invariant: Invariant
  /** Null for what concerns the whole installation. */
  readonly tenant: TenantName | null
  readonly subject: Subject
  /** A sentence for people. */
  readonly message: string
}

interface Subject {
  readonly type: 'file' | 'blob' | 'upload' | 'object' | 'tenant' | 'change' | 'bucket'
  /** A UUID, or the key of an object. */
  readonly id: string
}

export const violation = (
  invariant: Invariant,
  tenant: TenantName | null,
  subject: Subject,
  message: string,
): Finding => ({ severity: 'VIOLATION', invariant, tenant, subject, message })

export const information = (
  invariant: Invariant,
  tenant: TenantName | null,
  subject: Subject,
  message: string,
): Finding => ({ ...violation(invariant, tenant, subject, message), severity: 'INFORMATION' })

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/**
 * From when on something is late: its usual time, and as long again as a sweep of the schedule, or a store that was away
 * for some days, can hold it up.
 */
export const overdueAfter = {
  /** Since a blob became `deleting`. */
  deletingMs: ({ purgeGraceMs }: Pick<CleanupSettings, 'purgeGraceMs'>) => purgeGraceMs + 7 * dayMs,
  /** Since an upload intent ended. */
  pendingMs: dayMs,
  /** Since an object without a row was first seen: the reconcile that deletes it comes once a day. */
  orphanMs: ({ orphanGraceMs }: Pick<CleanupSettings, 'orphanGraceMs'>) => orphanGraceMs + dayMs + 12 * hourMs,
}

const pageRows = 500
const beforeAll = '00000000-0000-0000-0000-000000000000'

/**
 * Rows of a tenant by id, a page at a time. Each page is one statement and so one moment: what it compares holds together,
 * whatever changes meanwhile. `select` gets the id behind which it reads and how many rows it may read.
 */
export async function* readInPages<Row extends { readonly id: string }>(
  database: TenantDatabase,
  tenantId: string,
  select: (after: string, limit: number) => SQL,
): AsyncGenerator<Row> {
  for (let after = beforeAll; ;) {
    const rows = await readRows<Row>(database, tenantId, select(after, pageRows))
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < pageRows) return
    after = last.id
  }
}

/** Reads with one statement; columns by the names that it gives them. */
export const readRows = <Row>(database: TenantDatabase, tenantId: string, statement: SQL): Promise<Row[]> =>
  database.readOnce(tenantId, async (tx) => (await tx.db.execute(statement)) as unknown as Row[])

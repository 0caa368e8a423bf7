import type { SQL } from 'drizzle-orm'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import type { Context } from '../context.ts'
import type { CleanupSettings } from '../sweeps/runs/settings.ts'
import type { TenantName } from '../tenants/findTenant.ts'

/** The inputs of the checks. They only read. */
export type IntegrityContext = Pick<Context, 'database' | 'blobs' | 'now'> & { readonly cleanup: CleanupSettings }

export type Invariant =
  /** The bytes of kept versions have the committed size and ETag. */
  | 'BYTES'
  /** No bytes are in quarantine. */
  | 'QUARANTINE'
  /** The size of a version equals that of its blob. */
  | 'VERSION_SIZE'
  /** The versions of a file are numbered without gaps, the current one is the last, and all have ready bytes. */
  | 'VERSIONS'
  /**
   * The type and the size of a file equal those of its current version, and its name is the last one in the journal.
   */
  | 'FILE_AS_VERSION'
  /** `files.attachment_count` equals the number of attachments. */
  | 'ATTACHMENT_COUNT'
  /** `blobs.refcount` equals the number of versions, and only ready blobs have versions. */
  | 'REFCOUNT'
  /** `tenant_usage` equals the counted rows. */
  | 'USAGE'
  /**
   * An attached file is not in the trash, a held file is not purged, and a purged file has no versions or attachments.
   */
  | 'LIFECYCLE'
  /** An object key contains the tenant and the id of its row. */
  | 'KEY'
  /** No object without a row remains for longer than the grace period. */
  | 'ORPHAN'
  /** No blob stays in `deleting` or `pending` past its limit. */
  | 'OVERDUE'
  /** Each change has one audit entry and one event with the same number, and the numbers have no gap. */
  | 'JOURNAL'
  /** The journal has a `blob.released` event for every released blob and for no other. */
  | 'RELEASE'
  /** The bucket belongs to this database. */
  | 'BUCKET'

/** A violation, or INFORMATION. */
export interface Finding {
  readonly severity: 'VIOLATION' | 'INFORMATION'
  readonly invariant: Invariant
  /** Null if the finding concerns the whole installation. */
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
 * When an item is overdue: after its usual time, and as much longer as a scheduled sweep or an outage of the store can
 * delay it.
 */
export const overdueAfter = {
  /** The time since the blob became `deleting`. */
  deletingMs: ({ purgeGraceMs }: Pick<CleanupSettings, 'purgeGraceMs'>) => purgeGraceMs + 7 * dayMs,
  /** The time since the upload intent ended. */
  pendingMs: dayMs,
  /** The time since the object was first seen. The reconcile that deletes it runs daily. */
  orphanMs: ({ orphanGraceMs }: Pick<CleanupSettings, 'orphanGraceMs'>) => orphanGraceMs + dayMs + 12 * hourMs,
}

const pageRows = 500
const beforeAll = '00000000-0000-0000-0000-000000000000'

/**
 * Reads a tenant's rows by id, page by page. Each page is one statement and therefore one snapshot. `select` gets the
 * last id of the page before and the maximum number of rows.
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

/** Reads with one statement. The columns have the names of the select list. */
export const readRows = <Row>(database: TenantDatabase, tenantId: string, statement: SQL): Promise<Row[]> =>
  database.readOnce(tenantId, async (tx) => (await tx.db.execute(statement)) as unknown as Row[])

import { sql } from 'drizzle-orm'
import { attachments, blobs, files, fileVersions } from '../../database/tables/fileTables.ts'
import { events } from '../../database/tables/journalTables.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { type Finding, type IntegrityContext, type Invariant, violation, readInPages } from './finding.ts'

interface CheckedFile {
  readonly id: string
  readonly name: string
  readonly current: number
  readonly attachmentCount: number
  readonly attached: number
  readonly isTrashed: boolean
  readonly isPurged: boolean
  readonly isHeld: boolean
  readonly versions: number
  readonly newest: number
  /** Versions whose blob is not ready or has no row. */
  readonly unready: number
  readonly isAsVersion: boolean
  /** The last name in the journal: by number, and by time. */
  readonly nameByOrder: string | null
  readonly nameByTime: string | null
}

/** Compares files with their versions, their attachments and the journal. */
export async function* checkFiles({ database }: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  const pages = readInPages<CheckedFile>(database, tenant.id, (after, limit) => selectFiles(tenant.id, after, limit))
  for await (const file of pages) {
    for (const [invariant, what] of file.isPurged ? defectsOfPurged(file) : defectsOf(file)) {
      yield violation(invariant, tenant, { type: 'file', id: file.id }, `The file "${file.name}" (${file.id}) ${what}.`)
    }
  }
}

type Defect = readonly [Invariant, string]

function defectsOf(file: CheckedFile): Defect[] {
  const { current, newest, versions, attached } = file
  const defects: Defect[] = countersOf(file)
  if (current !== newest || versions !== newest) {
    defects.push(['VERSIONS', `is at version ${current} and has ${versions} versions up to number ${newest}`])
  } else if (!file.isAsVersion) {
    defects.push(['FILE_AS_VERSION', 'has another type or size than its current version'])
  }
  if (file.unready > 0) defects.push(['VERSIONS', `has ${file.unready} versions whose bytes are not ready`])
  if (!isNamedAsTold(file)) defects.push(['FILE_AS_VERSION', `was last called "${file.nameByOrder}"`])
  if (file.isTrashed && attached > 0) defects.push(['LIFECYCLE', `is in the trash and has ${attached} attachments`])
  return defects
}

function defectsOfPurged(file: CheckedFile): Defect[] {
  const defects: Defect[] = countersOf(file)
  if (file.isHeld) defects.push(['LIFECYCLE', 'is under legal hold and was purged'])
  if (!file.isTrashed) defects.push(['LIFECYCLE', 'was purged and is not in the trash'])
  if (file.versions > 0) defects.push(['LIFECYCLE', `was purged and still has ${file.versions} versions`])
  if (file.attached > 0) defects.push(['LIFECYCLE', `was purged and still has ${file.attached} attachments`])
  return defects
}

const countersOf = ({ attachmentCount, attached }: CheckedFile): Defect[] =>
  attachmentCount === attached
    ? []
    : [['ATTACHMENT_COUNT', `counts ${attachmentCount} attachments and has ${attached}`]]

/**
 * The times of events can be out of order, because clocks can be set back. Events from before the numbering are
 * numbered by time.
 */
const isNamedAsTold = ({ name, nameByOrder, nameByTime }: CheckedFile) =>
  nameByOrder === null || name === nameByOrder || name === nameByTime

const naming = sql.raw(`('file.uploaded', 'file.version_added', 'file.renamed')`)

const selectFiles = (tenantId: string, after: string, limit: number) => sql`
  select f.id, f.original_file_name as "name", f.current_version as "current", f.attachment_count as "attachmentCount",
    f.soft_deleted_at is not null as "isTrashed", f.purged_at is not null as "isPurged", f.held_at is not null as "isHeld",
    attached.n as "attached", counted.n as "versions", counted.newest, counted.unready,
    coalesce(c.content_type = f.content_type and c.byte_size = f.byte_size, false) as "isAsVersion",
    (select e.payload ->> 'name' from ${events} e
      where e.tenant_id = f.tenant_id and e.subject_id = f.id and e.type in ${naming}
      order by e.seq desc limit 1) as "nameByOrder",
    (select e.payload ->> 'name' from ${events} e
      where e.tenant_id = f.tenant_id and e.subject_id = f.id and e.type in ${naming}
      order by e.created_at desc, e.id desc limit 1) as "nameByTime"
  from ${files} f
  left join ${fileVersions} c on c.tenant_id = f.tenant_id and c.file_id = f.id and c.version = f.current_version
  cross join lateral (
    select count(*)::int as n from ${attachments} a where a.tenant_id = f.tenant_id and a.file_id = f.id
  ) as attached
  cross join lateral (
    select count(*)::int as n, coalesce(max(v.version), 0) as newest,
      (count(*) filter (where b.status is distinct from 'ready'))::int as unready
    from ${fileVersions} v left join ${blobs} b on b.tenant_id = v.tenant_id and b.id = v.blob_id
    where v.tenant_id = f.tenant_id and v.file_id = f.id
  ) as counted
  where f.tenant_id = ${tenantId} and f.id > ${after}::uuid
  order by f.id limit ${limit}`

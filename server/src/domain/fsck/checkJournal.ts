import { sql } from 'drizzle-orm'
import { auditLog, events } from '../../database/tables/journalTables.ts'
import { accesses } from '../journal/actions.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { type Finding, type IntegrityContext, violation, readRows } from './finding.ts'

const pageSubjects = 500
const beforeAll = '00000000-0000-0000-0000-000000000000'

interface Difference {
  readonly subjectType: string
  readonly subjectId: string
  readonly change: string
  readonly entries: number
  readonly happened: number
}

/** One audit entry and one event for each change: counted by kind of change and what it happened to, both ways. */
export async function* checkJournal({ database }: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  for (let after = beforeAll; ;) {
    const [page] = await readRows<{ end: string | null }>(database, tenant.id, selectEnd(tenant.id, after))
    if (!page || page.end === null) return
    const differences = await readRows<Difference>(database, tenant.id, selectDifferences(tenant.id, after, page.end))
    for (const { subjectType, subjectId, change, entries, happened } of differences) {
      const what = `"${change}" of ${subjectType} ${subjectId}`
      const message = `There are ${entries} audit entries and ${happened} events for ${what}.`
      yield violation('JOURNAL', tenant, 'change', subjectId, message)
    }
    after = page.end
  }
}

/** The last of the next subjects. Each side is read in the order of its index, as far as is needed. */
const selectEnd = (tenantId: string, after: string) => sql`
  select max(page.id::text)::uuid as "end" from (
    select either.id from (
      (select distinct a.subject_id as id from ${auditLog} a
        where a.tenant_id = ${tenantId} and a.subject_id > ${after}::uuid order by 1 limit ${pageSubjects})
      union
      (select distinct e.subject_id as id from ${events} e
        where e.tenant_id = ${tenantId} and e.subject_id > ${after}::uuid order by 1 limit ${pageSubjects})
    ) as either order by either.id limit ${pageSubjects}
  ) as page`

/** That bytes were released stands in the journal alone, and that somebody looked at them in the audit log alone. */
const selectDifferences = (tenantId: string, after: string, end: string) => sql`
  select coalesce(logged.subject_type, told.subject_type) as "subjectType",
    coalesce(logged.subject_id, told.subject_id) as "subjectId", coalesce(logged.action, told.type) as "change",
    coalesce(logged.n, 0) as "entries", coalesce(told.n, 0) as "happened"
  from (
    select a.subject_type, a.subject_id, a.action, count(*)::int as n from ${auditLog} a
    where a.tenant_id = ${tenantId} and a.subject_id > ${after}::uuid and a.subject_id <= ${end}::uuid
      and a.action <> all (${sql.param(Object.keys(accesses))}::text[])
    group by 1, 2, 3
  ) as logged
  full join (
    select e.subject_type, e.subject_id, e.type, count(*)::int as n from ${events} e
    where e.tenant_id = ${tenantId} and e.subject_id > ${after}::uuid and e.subject_id <= ${end}::uuid
      and e.type <> 'blob.released'
    group by 1, 2, 3
  ) as told
    on told.subject_type = logged.subject_type and told.subject_id = logged.subject_id and told.type = logged.action
  where logged.n is distinct from told.n
  order by 2, 3`

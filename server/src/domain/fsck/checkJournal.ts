import { sql } from 'drizzle-orm'
import { onlyRow } from '../../database/onlyRow.ts'
import { tenantUsage } from '../../database/tables/identityTables.ts'
import { auditLog, events } from '../../database/tables/journalTables.ts'
import { releases } from '../actions.ts'
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

/**
 * Checks that each change has one audit entry and one event, by comparing their counts per action and subject. Their
 * numbers must match, and the journal must count from 1 to its head without a gap.
 */
export async function* checkJournal(ctx: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  yield* checkPairs(ctx, tenant)
  yield* checkNumbers(ctx, tenant)
}

async function* checkPairs({ database }: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  for (let after = beforeAll; ;) {
    const [page] = await readRows<{ end: string | null }>(database, tenant.id, selectEnd(tenant.id, after))
    if (!page || page.end === null) return
    const differences = await readRows<Difference>(database, tenant.id, selectDifferences(tenant.id, after, page.end))
    for (const { subjectType, subjectId, change, entries, happened } of differences) {
      const what = `"${change}" of ${subjectType} ${subjectId}`
      const message = `There are ${entries} audit entries and ${happened} events for ${what}.`
      yield violation('JOURNAL', tenant, { type: 'change', id: subjectId }, message)
    }
    after = page.end
  }
}

/** The last subject of the next page. Each side is read in index order, only as far as needed. */
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

const quiet = sql.param(Object.keys(releases))

/** The release of bytes has an event but no audit entry. */
const selectDifferences = (tenantId: string, after: string, end: string) => sql`
  select coalesce(logged.subject_type, told.subject_type) as "subjectType",
    coalesce(logged.subject_id, told.subject_id) as "subjectId", coalesce(logged.action, told.type) as "change",
    coalesce(logged.n, 0) as "entries", coalesce(told.n, 0) as "happened"
  from (
    select a.subject_type, a.subject_id, a.action, count(*)::int as n from ${auditLog} a
    where a.tenant_id = ${tenantId} and a.subject_id > ${after}::uuid and a.subject_id <= ${end}::uuid
    group by 1, 2, 3
  ) as logged
  full join (
    select e.subject_type, e.subject_id, e.type, count(*)::int as n from ${events} e
    where e.tenant_id = ${tenantId} and e.subject_id > ${after}::uuid and e.subject_id <= ${end}::uuid
      and e.type <> all (${quiet}::text[])
    group by 1, 2, 3
  ) as told
    on told.subject_type = logged.subject_type and told.subject_id = logged.subject_id and told.type = logged.action
  where logged.n is distinct from told.n
  order by 2, 3`

const pageNumbers = 100_000

interface NumberedPage {
  readonly events: number
  readonly strayEntries: number
}

async function* checkNumbers({ database }: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  const [usage] = await readRows<{ head: string }>(database, tenant.id, selectHead(tenant.id))
  // `checkUsage` reports a tenant without a usage row. All of its events are then beyond the head.
  const head = usage === undefined ? 0 : Number(usage.head)
  for (let after = 0; after < head; after += pageNumbers) {
    const end = Math.min(after + pageNumbers, head)
    const page = onlyRow(await readRows<NumberedPage>(database, tenant.id, selectNumbered(tenant.id, after, end)))
    const missing = end - after - page.events
    const range = `the numbers ${after + 1} to ${end} of the journal`
    if (missing !== 0)
      yield violation(
        'JOURNAL',
        tenant,
        { type: 'tenant', id: tenant.id },
        `${missing} events are missing in ${range}.`,
      )
    const stray = page.strayEntries
    if (stray > 0) {
      const message = `${stray} audit entries in ${range} do not have the number of their event.`
      yield violation('JOURNAL', tenant, { type: 'tenant', id: tenant.id }, message)
    }
  }
  const [beyond] = await readRows<{ n: number; head: string }>(database, tenant.id, selectBeyond(tenant.id))
  if (beyond && beyond.n > 0) {
    const message = `The head of the journal is ${beyond.head}, and ${beyond.n} events or audit entries have a higher number.`
    yield violation('JOURNAL', tenant, { type: 'tenant', id: tenant.id }, message)
  }
}

const selectHead = (tenantId: string) => sql`
  select u.journal_seq as "head" from ${tenantUsage} u where u.tenant_id = ${tenantId}`

const selectNumbered = (tenantId: string, after: number, end: number) => sql`
  select
    (select count(*)::int from ${events} e
      where e.tenant_id = ${tenantId} and e.seq > ${after}::bigint and e.seq <= ${end}::bigint) as "events",
    (select count(*)::int from ${auditLog} a left join ${events} t
        on t.tenant_id = a.tenant_id and t.seq = a.seq and t.type = a.action and t.subject_id = a.subject_id
      where a.tenant_id = ${tenantId} and a.seq > ${after}::bigint and a.seq <= ${end}::bigint
        and t.id is null) as "strayEntries"`

/** Reads head and events in one statement, because the journal grows during the check. */
const selectBeyond = (tenantId: string) => sql`
  select u.journal_seq as "head", (
    select count(*)::int from ${events} e where e.tenant_id = u.tenant_id and e.seq > u.journal_seq
  ) + (
    select count(*)::int from ${auditLog} a where a.tenant_id = u.tenant_id and a.seq > u.journal_seq
  ) as "n" from ${tenantUsage} u where u.tenant_id = ${tenantId}`

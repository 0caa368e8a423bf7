import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestService, type TestService, type TestTenant, uploadFile } from '../../../test/testService.ts'
import { type AuditEntry, type AuditFilter, listAuditLog } from './listAuditLog.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  const other = await service.createTenant()
  for (const who of [tenant.member, tenant.otherMember, other.member, tenant.member]) await uploadFile(service, who)
})

afterAll(() => service.close())

const everything: AuditFilter = { action: null, actorId: null, subjectId: null, since: null, until: null }

/** Every page of three, one behind the other. */
async function walk(filter: AuditFilter): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (let after: string | null = null; ;) {
    const page = await listAuditLog(service.contextOf(tenant.admin), filter, { first: 3, after })
    entries.push(...page.edges.map((edge) => edge.node))
    if (!page.pageInfo.hasNextPage) return entries
    after = page.pageInfo.endCursor
  }
}

/** Each way to leave conditions out. */
const combinations = (filter: AuditFilter): AuditFilter[] =>
  Array.from({ length: 32 }, (_, bits) => ({
    action: bits & 1 ? filter.action : null,
    actorId: bits & 2 ? filter.actorId : null,
    subjectId: bits & 4 ? filter.subjectId : null,
    since: bits & 8 ? filter.since : null,
    until: bits & 16 ? filter.until : null,
  }))

const matches = (filter: AuditFilter) => (entry: AuditEntry) =>
  (filter.action === null || entry.action === filter.action) &&
  (filter.actorId === null || entry.actor.id === filter.actorId) &&
  (filter.subjectId === null || entry.subjectId === filter.subjectId) &&
  (filter.since === null || entry.at >= filter.since) &&
  (filter.until === null || entry.at < filter.until)

describe('the audit log', () => {
  it('lists what matches all given conditions of a filter, newest first', async () => {
    const all = await walk(everything)
    const [oldest, newest] = [all.at(-1), all[0]]
    const byFile = all.find((entry) => entry.subjectType === 'file')
    expect(all.length).toBeGreaterThan(5)
    if (!oldest || !newest || !byFile) throw new Error('There are entries')
    const { action, subjectId, actor, at } = byFile
    for (const [since, until] of [
      [at, newest.at],
      [oldest.at, at],
    ] as const)
      for (const filter of combinations({ action, subjectId, actorId: actor.id, since, until }))
        expect(await walk(filter)).toEqual(all.filter(matches(filter)))
  })

  it('finds the entries of a renamed action under its name and its former one, in one order', async () => {
    const superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    const names = [
      'file.soft_deleted',
      'file.deleted',
      'file.soft_deleted',
      'file.deleted',
      'file.deleted',
      'file.restored',
    ]
    for (const [at, action] of names.entries())
      await superuser`insert into audit_log (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, payload)
        values (${tenant.id}, gen_random_uuid(), -(random() * 1e15)::bigint, ${new Date(Date.UTC(2026, 0, 1, 0, 0, at))}, ${tenant.member.id}, ${action}, 'file',
          ${tenant.id}, '{}')`
    await superuser.end()
    const expected = names.slice(0, 5).toReversed()
    for (const action of ['file.soft_deleted', 'file.deleted'])
      for (const actorId of [null, tenant.member.id])
        expect((await walk({ ...everything, action, actorId })).map((entry) => entry.action)).toEqual(expected)
    expect(await walk({ ...everything, action: 'file.restored' })).toHaveLength(1)
    const last = await listAuditLog(
      service.contextOf(tenant.admin),
      { ...everything, action: 'file.deleted' },
      { last: 2 },
    )
    expect(last.edges.map(({ node }) => node.action)).toEqual(['file.deleted', 'file.soft_deleted'])
  })
})

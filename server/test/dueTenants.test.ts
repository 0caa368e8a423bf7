import { pino } from 'pino'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { planSettings } from '../src/database/connection.ts'
import { systemPrincipal } from '../src/domain/context.ts'
import { releaseFile } from '../src/domain/files/changeFile.ts'
import { noteFailure, scheduleTenant } from '../src/domain/sweeps/runs/sweepSchedule.ts'
import { usualCleanup } from '../src/domain/sweeps/runs/settings.ts'
import { updateTenant } from '../src/domain/tenants/updateTenant.ts'
import type { JobContext } from '../src/jobs/schedule.ts'
import { runIfDue } from '../src/jobs/sweeps.ts'
import { runJob } from './runSchedule.ts'
import { openSuperuser, plainId } from './faults/plantFile.ts'
import { startTestService, type TestService, uploadFile } from './testService.ts'

let service: TestService
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  sql = openSuperuser(service)
}, 60_000)
afterAll(async () => {
  await sql.end()
  await service.close()
})
afterEach(async () => {
  for (const table of ['uploads', 'blobs', 'cleanup_runs', 'sweep_schedule', 'tenant_slugs'])
    await sql.unsafe(
      `set session_replication_role = replica; delete from ${table}; set session_replication_role = origin`,
    )
})

/** What one minute of the schedule queues: each job with its tenants. */
async function findDue(): Promise<Record<string, readonly string[]>> {
  const queued: Record<string, readonly string[]> = {}
  await runJob(jobContext(queued), 'find_due')
  return queued
}

function jobContext(queued: Record<string, readonly string[]> = {}): JobContext {
  const { database, blobs, now } = service
  return {
    database,
    blobs,
    now,
    cleanup: { ...usualCleanup, settleMs: 0 },
    logger: pino({ level: 'silent' }),
    enqueue: async (name, tenantIds) => {
      if (tenantIds.length > 0) queued[name] = tenantIds
    },
  }
}

/** Rows of tenants that were planted, without their foreign keys: all it takes to be found, and nothing that is due. */
async function plantTenants(count: number): Promise<string[]> {
  return sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    const rows = await tx`insert into tenant_slugs (slug, tenant, scheduled_at)
      select 'planted-' || gen_random_uuid(), gen_random_uuid(), now() from generate_series(1, ${count}) returning tenant`
    const ids = rows.map(({ tenant }) => String(tenant))
    await tx`insert into sweep_schedule (tenant_id, kind, due_at, not_before, failures)
      select tenant, kind, now() + interval '1 day', now(), 0
      from tenant_slugs, unnest('{PURGE_FILES,VERIFY,RECONCILE}'::text[]) kind where tenant::text = any(${ids})`
    await plantUploads(tx, ids, { count: 3, dueIn: '1 hour' })
    return ids
  })
}

async function plantUploads(
  tx: postgres.ISql,
  tenants: readonly string[],
  { count, dueIn }: { readonly count: number; readonly dueIn: string },
): Promise<void> {
  await tx`set session_replication_role = replica`
  await tx`insert into uploads (tenant_id, id, blob_id, state, declared_name, declared_content_type, declared_byte_size, created_by,
      created_at, expires_at)
    select tenant::uuid, gen_random_uuid(), gen_random_uuid(), 'PENDING', 'a', 'a/b', 1, gen_random_uuid(), now(), now() + ${dueIn}::interval
    from unnest(${tenants as string[]}::text[]) tenant cross join generate_series(1, ${count})`
  await tx`set session_replication_role = origin`
}

async function plantBlobs(tenant: string, values: Record<string, string>): Promise<void> {
  const columns = Object.keys(values).join(', ')
  await sql`set session_replication_role = replica`
  await sql.unsafe(`insert into blobs (tenant_id, id, object_key, refcount, byte_size, content_type, created_at, ${columns})
    select '${tenant}', id, 'org/${tenant}/files/' || id, ${values['status'] === `'ready'` ? 1 : 0}, 1, 'a/b', now(), ${Object.values(values).join(', ')}
    from gen_random_uuid() id`)
  await sql`set session_replication_role = origin`
}

describe('a minute in which nothing is due', () => {
  it('sends the same statements with three tenants and with three hundred', async () => {
    const sent = async () => {
      service.statements.length = 0
      expect(await findDue()).toEqual({})
      return [...service.statements]
    }
    await plantTenants(3)
    const few = await sent()
    await plantTenants(297)
    expect(await sent()).toEqual(few)
    expect(few.length).toBeLessThan(16)
  })
})

describe('what is due', () => {
  it('is found in every tenant that has it, the longest due first', async () => {
    const [a = '', b = '', c = ''] = await plantTenants(5)
    await plantUploads(sql, [b], { count: 2, dueIn: '-1 minute' })
    await plantUploads(sql, [a], { count: 2, dueIn: '-1 hour' })
    await plantBlobs(c, { status: `'deleting'`, deleting_since: `now() - interval '1 hour'` })
    await plantBlobs(b, {
      status: `'deleting'`,
      deleting_since: `now() - interval '1 hour'`,
      purge_not_before: `now() - interval '1 s'`,
    })
    await plantBlobs(a, { status: `'ready'` })
    await sql`update sweep_schedule set due_at = now() - interval '1 minute' where tenant_id = ${c} and kind <> 'VERIFY'`
    await sql`update sweep_schedule set due_at = now() - interval '1 minute' where tenant_id = ${b} and kind = 'VERIFY'`
    expect(await findDue()).toEqual({
      expire_uploads: [a, b],
      delete_blobs: [c, b],
      verify_sample: [a, b],
      purge_files: [c],
      reconcile: [c],
    })
  })

  it('is not what waits, cools, is claimed, proved or in a foreign state', async () => {
    const [a = ''] = await plantTenants(1)
    await plantUploads(sql, [a], { count: 2, dueIn: '1 minute' })
    const cooled = { status: `'deleting'`, deleting_since: `now() - interval '1 hour'` }
    await plantBlobs(a, { ...cooled, deleting_since: `now() - interval '14 minutes'` })
    await plantBlobs(a, { ...cooled, purge_not_before: `now() + interval '1 minute'` })
    await plantBlobs(a, { ...cooled, purge_claimed_until: `now() + interval '1 minute'` })
    await plantBlobs(a, { status: `'ready'`, sha256: `repeat('a', 64)` })
    await plantBlobs(a, { status: `'ready'`, verified_at: `now() - interval '23 hours'` })
    await plantBlobs(a, { status: `'pending'` })
    expect(await findDue()).toEqual({})
  })

  it('is nobody else behind a tenant with more than a question reads, once that one is at work or has failed', async () => {
    const [huge = '', small = ''] = await plantTenants(2)
    await plantUploads(sql, [huge], { count: 10_001, dueIn: '-1 hour' })
    await plantUploads(sql, [small], { count: 1, dueIn: '-1 minute' })
    expect(await findDue()).toEqual({ expire_uploads: [huge] })

    await sql`set session_replication_role = replica`
    await sql`insert into cleanup_runs (tenant_id, id, kind, state, is_dry_run, exceeds_brake, requested_by, created_at, started_at,
        examined, deleted, deleted_bytes, held, found, sample)
      values (${huge}, gen_random_uuid(), 'EXPIRE_UPLOADS', 'RUNNING', false, false, ${huge}, now(), now(), 0, 0, 0, '{}', '{}', '[]')`
    await sql`set session_replication_role = origin`
    expect(await findDue()).toEqual({ expire_uploads: [small] })
    await sql`delete from cleanup_runs`

    await sql`insert into sweep_schedule (tenant_id, kind, not_before, failures)
      select ${huge}, 'EXPIRE_UPLOADS', now() + interval '1 minute', 1 from (select set_config('session_replication_role', 'replica', false)) s`
    await sql`set session_replication_role = origin`
    expect(await findDue()).toEqual({ expire_uploads: [small] })
    await sql`update sweep_schedule set not_before = now() where kind = 'EXPIRE_UPLOADS'`
    expect(await findDue()).toEqual({ expire_uploads: [huge] })
  })
})

describe('a new tenant', () => {
  it('is put on the schedule once, its reconcile at some time of the next day', async () => {
    const { id } = await service.createTenant()
    const found = await findDue()
    expect(found).toEqual({ schedule_tenant: [id] })
    await runJob(jobContext(), 'schedule_tenant', id)
    expect(await findDue()).toEqual({ purge_files: [id], verify_sample: [id] })
    const rows = await sql`select kind, due_at <= now() as "isDue", due_at < now() + interval '1 day' as "isToday"
      from sweep_schedule where tenant_id = ${id} order by kind`
    expect(rows).toMatchObject([
      { kind: 'PURGE_FILES', isDue: true },
      { kind: 'RECONCILE', isToday: true },
      { kind: 'VERIFY', isDue: true },
    ])
  })

  it('is left alone while it is being made', async () => {
    await sql`insert into tenant_slugs (slug, tenant) values ('half-made', gen_random_uuid())`
    const { schedule_tenant: [id = ''] = [] } = await findDue()
    await runJob(jobContext(), 'schedule_tenant', id)
    expect(await findDue()).toEqual({ schedule_tenant: [id] })
  })
})

describe('the next look', () => {
  const look = (tenantId: string, aheadMs = 0) => {
    const ctx = service.contextOf(systemPrincipal(tenantId))
    return { ...ctx, now: () => new Date(Date.now() + aheadMs), settings: { ...usualCleanup, settleMs: 0 } }
  }
  const dueIn = async (tenantId: string, kind: string) => {
    const [row] = await sql`select round(extract(epoch from due_at - now()) / 3600)::int as hours from sweep_schedule
      where tenant_id = ${tenantId} and kind = ${kind}`
    return row?.['hours']
  }

  it('at the trash is when its oldest file cools, and earlier after a change of policy or the end of a hold', async () => {
    const tenant = await service.createTenant({ trashDays: 30 })
    expect(await runIfDue(look(tenant.id), 'PURGE_FILES')).toBeNull()
    expect(await dueIn(tenant.id, 'PURGE_FILES')).toBe(30 * 24)
    const { id } = await uploadFile(service, tenant.member)
    await sql`update files set soft_deleted_at = now() - interval '12 hours', soft_deleted_by = uploaded_by where id = ${plainId(id)}`
    await runIfDue(look(tenant.id), 'PURGE_FILES')
    expect(await dueIn(tenant.id, 'PURGE_FILES')).toBe(30 * 24 - 12)
    await updateTenant({ ...service.contextOf(tenant.owner) }, { policy: { trashDays: 5 } })
    expect(await dueIn(tenant.id, 'PURGE_FILES')).toBe(0)

    await sql`update files set held_at = now(), held_by = uploaded_by, hold_reason = 'a law' where id = ${plainId(id)}`
    await runIfDue(look(tenant.id), 'PURGE_FILES')
    expect(await dueIn(tenant.id, 'PURGE_FILES')).toBe(5 * 24)
    await releaseFile(service.contextOf(tenant.admin), plainId(id))
    expect(await dueIn(tenant.id, 'PURGE_FILES')).toBe(0)
  })

  it('at the trash is by the new policy if that is committed while a look is under way', async () => {
    const tenant = await service.createTenant({ trashDays: 30 })
    const { id } = await uploadFile(service, tenant.member)
    await sql`update files set soft_deleted_at = now() - interval '12 hours', soft_deleted_by = uploaded_by where id = ${plainId(id)}`
    await runIfDue(look(tenant.id), 'PURGE_FILES')
    await sql`update sweep_schedule set due_at = now() - interval '1 minute' where tenant_id = ${tenant.id}`
    const holder = openSuperuser(service)
    // The last lock of the change.
    await holder`begin`
    await holder`select from tenant_usage where tenant_id = ${tenant.id} for update`
    const waiting = async () =>
      Number((await sql`select count(*) as n from pg_locks where not granted and locktype <> 'relation'`)[0]?.['n'])
    const updating = updateTenant(service.contextOf(tenant.owner), { policy: { trashDays: 5 } })
    await expect.poll(waiting).toBe(1)
    let isOver = false
    const looking = runIfDue(look(tenant.id), 'PURGE_FILES').finally(() => (isOver = true))
    await expect.poll(async () => isOver || (await waiting()) === 2).toBe(true)
    await holder`commit`
    await holder.end()
    await Promise.all([updating, looking])
    expect(await dueIn(tenant.id, 'PURGE_FILES')).toBe(5 * 24 - 12)
  })

  it.each(['PURGE_FILES', 'RECONCILE', 'VERIFY'] as const)(
    'of %s is not put off by a worker whose clock is a year fast',
    async (kind) => {
      const tenant = await service.createTenant({ trashDays: 30 })
      const fast = look(tenant.id, 365 * 86_400_000)
      await scheduleTenant(fast)
      await sql`update sweep_schedule set due_at = now() where tenant_id = ${tenant.id}`
      await runIfDue(fast, kind)
      const hours = { PURGE_FILES: 30 * 24, RECONCILE: 24, VERIFY: 90 * 24 }
      expect(await dueIn(tenant.id, kind)).toBe(hours[kind])
      await noteFailure(fast, kind)
      expect(await dueIn(tenant.id, kind)).toBe(0)
    },
  )

  it('after a failure is 1, 2, 4, 8, 15 and 15 minutes later, and a success forgets them', async () => {
    const tenant = await service.createTenant()
    const ctx = look(tenant.id)
    const waits: number[] = []
    for (let failures = 0; failures < 6; failures += 1) {
      await noteFailure(ctx, 'EXPIRE_UPLOADS')
      const [row] =
        await sql`select round(extract(epoch from not_before - now()) / 60)::int as minutes from sweep_schedule
        where tenant_id = ${tenant.id}`
      waits.push(row?.['minutes'])
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15])
    expect(await runIfDue(ctx, 'EXPIRE_UPLOADS')).toBeNull()
    expect(await sql`select failures from sweep_schedule`).toEqual([{ failures: 6 }])
    await runIfDue(look(tenant.id, 16 * 60_000), 'EXPIRE_UPLOADS')
    expect(await sql`select failures from sweep_schedule`).toEqual([{ failures: 0 }])
  })
})

describe('with the statistics of filled tables', () => {
  /** By the function: its indexes, and the times whose order they have to give. */
  const questions: Readonly<
    Record<string, { readonly indexes: readonly string[]; readonly times: readonly string[] }>
  > = {
    busy_tenants: { indexes: ['sweep_schedule_paused', 'cleanup_runs_alive'], times: [] },
    due_blobs: {
      indexes: ['blobs_released_due', 'blobs_postponed_due'],
      times: ['deleting_since', 'purge_not_before'],
    },
    due_by_schedule: { indexes: ['sweep_schedule_due'], times: ['due_at'] },
    due_runs: { indexes: ['cleanup_runs_waiting', 'cleanup_runs_alive'], times: ['heartbeat_at'] },
    due_uploads: { indexes: ['uploads_due'], times: ['expires_at'] },
    due_verifications: { indexes: ['blobs_doubtful_due'], times: ['verified_at'] },
  }

  async function fill(): Promise<void> {
    const ids = await plantTenants(2_000)
    await sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`
      await tx`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at, sha256,
          deleting_since, purge_not_before)
        select tenant::uuid, id, 'org/' || tenant || '/files/' || id, case when n % 5 = 0 then 'deleting' else 'ready' end,
          case when n % 5 = 0 then 0 else 1 end, 1, 'a/b', now(), case when n % 2 = 0 then repeat('a', 64) end,
          case when n % 5 = 0 then now() end, case when n % 10 = 0 then now() end
        from unnest(${ids}::text[]) tenant cross join generate_series(1, 20) n cross join lateral (select gen_random_uuid() id where n > 0) x`
      await tx`insert into cleanup_runs (tenant_id, id, kind, state, is_dry_run, exceeds_brake, requested_by, created_at, started_at,
          finished_at, examined, deleted, deleted_bytes, held, found, sample)
        select tenant::uuid, gen_random_uuid(), 'EXPIRE_UPLOADS', s, false, false, gen_random_uuid(), now(), now(),
          case when s = 'DONE' then now() end, 0, 0, 0, '{}', '{}', '[]'
        from unnest(${ids}::text[]) tenant cross join generate_series(1, 10) n
          cross join lateral (select case n when 1 then 'QUEUED' when 2 then 'RUNNING' else 'DONE' end s) x`
    })
    await sql`vacuum analyze`
  }

  it('each question walks its index', async () => {
    await fill()
    const asked = postgres(service.testDatabase.superuserUrl, {
      max: 1,
      connection: { ...planSettings },
      onnotice: () => undefined,
    })
    const functions = await sql`select proname as name, prosrc as body, proargnames as names, 
        array(select format_type(t, null) from unnest(proargtypes) t) as types
      from pg_proc where pronamespace = 'filegraph'::regnamespace and proname ~ '^(due|busy)_' order by 1`
    expect(functions.map(({ name }) => name)).toEqual(Object.keys(questions))
    await asked`set role filegraph_schedule`
    for (const { name, body, names, types } of functions) {
      const text = types.reduce(
        (part: string, type: string, at: number) =>
          part.replaceAll(new RegExp(`\\b${names[at]}\\b`, 'g'), `$${at + 1}::${type}`),
        body,
      )
      const rows = await asked.unsafe(`explain (generic_plan) ${text}`).simple()
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      const { indexes = [], times = [] } = questions[name] ?? {}
      for (const index of indexes) expect(plan).toMatch(new RegExp(`Index (Only )?Scan using ${index} on `))
      for (const time of times) expect(plan).not.toMatch(new RegExp(`Sort Key: (\\w+\\.)?${time}`))
      expect(plan).not.toMatch(/Seq Scan/)
    }
    await asked.end()
  })
})

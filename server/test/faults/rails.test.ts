import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import { allGates } from '../../src/domain/sweeps/purge/gates.ts'
import { deleteBlobs } from '../../src/domain/sweeps/purge/deleteBlobs.ts'
import { usualCleanup } from '../../src/domain/sweeps/runs/settings.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import {
  contentOf,
  newRun,
  openSaboteur,
  openSuperuser,
  type PlantedFile,
  plantHistory,
  plantReleased,
  sweepContextOf,
  usualCutOff,
} from './plantFile.ts'

let service: TestService
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  sql = await openSaboteur(service)
})

afterEach(() => {
  Object.assign(service.cleanup, usualCleanup)
})

afterAll(async () => {
  await sql.end()
  await service.close()
})

const write = (key: string, content: string) =>
  service.blobs.write(key, new TextEncoder().encode(content), { contentType: 'text/plain' })

describe('the identity check, with all gates open', () => {
  const purge = async (tenant: TestTenant, { blobId }: PlantedFile) => {
    const run = newRun()
    await deleteBlobs({ ctx: sweepContextOf(service, tenant), run, cutOff: usualCutOff(), gates: allGates }, [blobId])
    return run.tally
  }

  it.each([
    ['of the same size', (content: string) => content.toUpperCase()],
    ['of another size', (content: string) => `${content} and more`],
    ['of no size', () => ''],
  ])('keeps other bytes %s that are now under the key, and the row', async (_what, other) => {
    const tenant = await service.createTenant()
    const planted = await plantReleased(service, tenant, sql)
    await write(planted.objectKey, other(planted.content))
    expect(await purge(tenant, planted)).toMatchObject({ deleted: 0, held: { IDENTITY: 1 } })
    expect(await contentOf(service, planted.objectKey)).toBe(other(planted.content))
    const [row] = await sql`select status, purge_claim, purge_attempts from blobs where id = ${planted.blobId}`
    expect(row).toEqual({ status: 'deleting', purge_claim: null, purge_attempts: 1 })
  })

  it.each(['another tenant', 'another blob'])(
    'keeps an object under the key of %s that a row refers to',
    async (whose) => {
      const tenant = await service.createTenant()
      const planted = await plantReleased(service, tenant, sql)
      const key =
        whose === 'another tenant'
          ? planted.objectKey.replace(tenant.id, randomUUID())
          : planted.objectKey.replace(planted.blobId, randomUUID())
      await sql`update blobs set object_key = ${key} where id = ${planted.blobId}`
      await write(key, planted.content)
      // Nothing but the key is wrong.
      expect((await service.blobs.head(key))?.etag).toBe((await service.blobs.head(planted.objectKey))?.etag)
      expect(await purge(tenant, planted)).toMatchObject({ deleted: 0, held: { IDENTITY: 1 } })
      expect(await contentOf(service, key)).toBe(planted.content)
      expect(await contentOf(service, planted.objectKey)).toBe(planted.content)
    },
  )
})

describe('the brake, with all gates open', () => {
  /** Blobs that were released long ago, or ready ones, without any object. */
  const plantRows = (tenant: TestTenant, status: 'deleting' | 'ready', count: number) => sql`
    with planted as (
      insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, etag, created_at, deleting_since)
      select ${tenant.id}, id, 'org/' || ${tenant.id} || '/files/' || id, ${status}, 0, 5, 'text/plain', 'e', now(),
        case when ${status} = 'deleting' then now() - interval '2 hours' end
      from (select gen_random_uuid() as id from generate_series(1, ${count}::int)) as made
      returning id
    )
    insert into events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
    select ${tenant.id}, gen_random_uuid(), -(random() * 1e15)::bigint, 'blob.released', 'blob', id, '{}', now() from planted`

  const countRows = async (tenant: TestTenant) => {
    const [row] = await sql`select count(*)::int as count from blobs where tenant_id = ${tenant.id}`
    return row?.['count']
  }

  const lastRun = async (tenant: TestTenant) => {
    const [row] = await sql`select state, deleted::int, held from cleanup_runs where tenant_id = ${tenant.id}
      order by created_at desc, id desc limit 1`
    return row
  }

  it('stops a run beyond its bound before it deletes anything, and allows one that may exceed it', async () => {
    const tenant = await service.createTenant()
    const planted = [
      await plantReleased(service, tenant, sql),
      await plantReleased(service, tenant, sql),
      await plantReleased(service, tenant, sql),
    ]
    Object.assign(service.cleanup, { brakeObjects: 2 })
    const { ended } = await service.sweep(tenant.id, 'DELETE_BLOBS')
    expect(ended).toContain('More than 2 objects')
    expect(await lastRun(tenant)).toEqual({ state: 'STOPPED', deleted: 0, held: {} })
    for (const { objectKey, content } of planted) expect(await contentOf(service, objectKey)).toBe(content)
    expect(await countRows(tenant)).toBe(3)

    const dry = await service.sweep(tenant.id, 'DELETE_BLOBS', { isDryRun: true })
    expect(dry).toMatchObject({ ended: null, tally: { deleted: 3 } })
    expect(await countRows(tenant)).toBe(3)

    const { tally } = await service.sweep(tenant.id, 'DELETE_BLOBS', { exceedsBrake: true })
    expect(tally.deleted).toBe(3)
    for (const { objectKey } of planted) expect(await contentOf(service, objectKey)).toBeNull()
    expect(await lastRun(tenant)).toEqual({ state: 'DONE', deleted: 3, held: {} })
  })

  it('counts up to its own limit, however large that is', async () => {
    const tenant = await service.createTenant()
    await plantRows(tenant, 'deleting', 1_203)
    const endedWith = async (brakeObjects: number) => {
      Object.assign(service.cleanup, { brakeObjects, brakeShare: 1 })
      return (await service.sweep(tenant.id, 'DELETE_BLOBS')).ended
    }
    expect(await endedWith(1_201)).toContain('More than 1201 objects')
    expect(await endedWith(1_202)).toContain('More than 1202 objects')
    expect(await endedWith(1_203)).toBeNull()
    expect(await countRows(tenant)).toBe(0)
  })

  it('counts what can be deleted now, and not what was released since', async () => {
    const tenant = await service.createTenant()
    await plantReleased(service, tenant, sql)
    await plantReleased(service, tenant, sql, new Date())
    Object.assign(service.cleanup, { brakeObjects: 1 })
    expect(await service.sweep(tenant.id, 'DELETE_BLOBS')).toMatchObject({ ended: null, tally: { deleted: 1 } })
  })

  it('stops a run above its share of a large tenant, and allows one object less', async () => {
    const tenant = await service.createTenant()
    await plantRows(tenant, 'deleting', 1_001)
    await plantRows(tenant, 'ready', 1_000)
    const { ended } = await service.sweep(tenant.id, 'DELETE_BLOBS')
    expect(ended).toBe('1001 of 2001 objects would be deleted: more than 50 % of them.')
    expect(await lastRun(tenant)).toEqual({ state: 'STOPPED', deleted: 0, held: {} })
    expect(await countRows(tenant)).toBe(2_001)

    await plantRows(tenant, 'ready', 1)
    expect(await service.sweep(tenant.id, 'DELETE_BLOBS')).toMatchObject({ ended: null, tally: { deleted: 1_001 } })
    expect(await countRows(tenant)).toBe(1_001)
  })

  it('treats each tenant separately', async () => {
    const [large, other] = [await service.createTenant(), await service.createTenant()]
    await plantRows(other, 'ready', 2_000)
    await plantRows(large, 'deleting', 1_001)
    expect(await service.sweep(large.id, 'DELETE_BLOBS')).toMatchObject({ tally: { deleted: 0 } })
    expect(await lastRun(large)).toMatchObject({ state: 'STOPPED' })
  })

  it('stops a reconcile as well', async () => {
    const tenant = await service.createTenant()
    const ids = [1, 2, 3].map(() => newId(new Date()))
    const strays = ids.map((id) => `org/${tenant.id}/files/${id}.txt`)
    for (const key of strays) await write(key, 'a stray')
    await plantHistory(sql, tenant.id, ids)
    Object.assign(service.cleanup, { brakeObjects: 2, orphanGraceMs: 0 })
    const { ended, tally } = await service.sweep(tenant.id, 'RECONCILE')
    expect(ended).toContain('More than 2 objects')
    expect(tally).toMatchObject({ deleted: 0, found: { orphan: 3 } })
    for (const key of strays) expect(await contentOf(service, key)).toBe('a stray')
    await service.sweep(tenant.id, 'RECONCILE', { exceedsBrake: true })
    for (const key of strays) expect(await contentOf(service, key)).toBeNull()
  })
})

describe('without planted defects', () => {
  it('the schema itself refuses each of these states', async () => {
    const fresh = await startTestService()
    const root = openSuperuser(fresh)
    try {
      const tenant = await fresh.createTenant()
      const { blobId } = await plantReleased(fresh, tenant, root)
      for (const change of [
        `status = 'ready'`,
        'refcount = 1',
        'refcount = -1',
        'deleting_since = null',
        `object_key = 'x'`,
      ]) {
        await expect(root.unsafe(`update blobs set ${change} where id = '${blobId}'`)).rejects.toThrow(
          /blob|constraint/,
        )
      }
      await expect(root.unsafe(`delete from events where subject_id = '${blobId}'`)).rejects.toThrow()
    } finally {
      await root.end()
      await fresh.close()
    }
  })
})

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RunTakenOver } from '../../src/domain/sweeps/runs/fence.ts'
import { type CleanupKind, recordRun, type SweepContext, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { takeOverSilentRuns } from '../../src/domain/sweeps/runs/takeOver.ts'
import { runIfDue, sweepOf } from '../../src/jobs/sweeps.ts'
import type { BlobStore } from '../../src/storage/blobStore.ts'
import type { TestTenant } from '../testService.ts'
import { contentOf, plantFile, plantReleased, sweepContextOf } from './plantFile.ts'
import { newIds, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant

beforeAll(async () => {
  bench = await openReconcileWorkbench()
  Object.assign(bench.service.cleanup, { settleMs: 0, heartbeatMs: 60_000 })
}, 60_000)
afterAll(() => bench.close())
afterEach(() => bench.sql`delete from cleanup_runs`)

/** What happens elsewhere while the process of a worker is suspended: its heartbeat grows old, and its run is taken over. */
async function suspend(): Promise<void> {
  await bench.sql`update cleanup_runs set heartbeat_at = now() - interval '10 minutes' where state = 'RUNNING'`
  await takeOverSilentRuns(sweepContextOf(bench.service, tenant))
}

/** A store whose caller is suspended right before it hears one answer of a method. */
function suspendedAt<M extends 'hash' | 'list' | 'head' | 'delete'>(
  method: M,
  isThisOne: (call: number, ...asked: Parameters<BlobStore[M]>) => boolean,
): BlobStore {
  const { blobs } = bench.service
  const ask = blobs[method] as (...asked: Parameters<BlobStore[M]>) => Promise<unknown>
  let calls = 0
  return {
    ...blobs,
    [method]: async (...asked: Parameters<BlobStore[M]>) => {
      const answer = await ask(...asked)
      calls += 1
      if (isThisOne(calls, ...asked)) await suspend()
      return answer
    },
  }
}

const contextOn = (blobs: BlobStore): SweepContext => ({ ...sweepContextOf(bench.service, tenant), blobs })
const makeRun = (blobs: BlobStore, kind: CleanupKind) =>
  recordRun(contextOn(blobs), kind, usualRun, sweepOf(kind).sweep)
const readRun = async () => (await bench.sql`select * from cleanup_runs where tenant_id = ${tenant.id}`)[0]

describe('a worker that wakes after its run was taken over', () => {
  it('reports no damage that it saw before, and leaves the run to the other', async () => {
    tenant = await bench.service.createTenant()
    const { objectKey } = await plantFile(bench.service, tenant, bench.sql, 'hello')
    await bench.service.blobs.delete([objectKey])
    // A report needs two readings.
    const run = makeRun(
      suspendedAt('hash', (call) => call === 2),
      'VERIFY',
    )
    await expect(run).rejects.toThrow(RunTakenOver)
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
    expect(await readRun()).toMatchObject({ state: 'QUEUED', claim: null, finished_at: null, message: null })
  })

  it('watches no object that it saw before', async () => {
    tenant = await bench.service.createTenant()
    await bench.putOrphans(tenant.id, newIds(3))
    const run = makeRun(
      suspendedAt('list', (_call, { prefix }) => prefix.includes(tenant.id)),
      'RECONCILE',
    )
    await expect(run).rejects.toThrow(RunTakenOver)
    expect(await bench.orphansOf(tenant.id)).toEqual([])
  })

  it('sends no delete', async () => {
    tenant = await bench.service.createTenant()
    const { objectKey } = await plantReleased(bench.service, tenant, bench.sql)
    const run = makeRun(
      suspendedAt('head', (_call, key) => key === objectKey),
      'DELETE_BLOBS',
    )
    await expect(run).rejects.toThrow(RunTakenOver)
    expect(await contentOf(bench.service, objectKey)).not.toBeNull()
  })

  it('records what it had deleted before', async () => {
    tenant = await bench.service.createTenant()
    const { blobId } = await plantReleased(bench.service, tenant, bench.sql)
    await makeRun(
      suspendedAt('delete', () => true),
      'DELETE_BLOBS',
    )
    expect(await bench.sql`select from blobs where id = ${blobId}`).toEqual([])
    expect(await bench.sql`select from audit_log where subject_id = ${blobId} and action = 'blob.purged'`).toHaveLength(
      1,
    )
  })

  it('does not make its tenant wait longer than the take-over does', async () => {
    tenant = await bench.service.createTenant()
    await plantFile(bench.service, tenant, bench.sql, 'hello')
    await bench.sql`update blobs set verified_at = now() - interval '2 days' where tenant_id = ${tenant.id}`
    const ctx = contextOn(suspendedAt('hash', () => true))
    await expect(runIfDue(ctx, 'VERIFY')).rejects.toThrow(RunTakenOver)
    expect(await bench.sql`select failures from sweep_schedule where tenant_id = ${tenant.id}`).toEqual([])
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { orphanObjects } from '../../src/database/tables/cleanupTables.ts'
import { blobs as blobRows } from '../../src/database/tables/fileTables.ts'
import { acceptBucket, readSides, retireDatabase } from '../../src/domain/installation/acceptBucket.ts'
import { assertMayDelete } from '../../src/domain/installation/bucketMarker.ts'
import { deleteFromBucket } from '../../src/domain/installation/deleteFromBucket.ts'
import { deleteReleasedBlobs } from '../../src/domain/sweeps/purge/deleteReleasedBlobs.ts'
import { orphanGates, orphanHeldBy, type OrphanGate } from '../../src/domain/sweeps/reconcile/orphanGates.ts'
import { readOrphanEvidence } from '../../src/domain/sweeps/reconcile/readOrphanEvidence.ts'
import { takeLease } from '../../src/domain/sweeps/runs/rails.ts'
import { recordRun, type RunOptions, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { commitUpload } from '../../src/domain/uploads/commitUpload.ts'
import { createUploadIntent, signUpload } from '../../src/domain/uploads/intents/createUploadIntent.ts'
import { cancelUpload } from '../../src/domain/uploads/intents/releaseUpload.ts'
import type { BlobStore } from '../../src/storage/blobStore.ts'
import { sendBytes, type TestService, type TestTenant } from '../testService.ts'
import { type DatabaseCopy, listTenantObjects, listVetoes, sweepWith } from './drill.ts'
import { cloneOf, type CopiedBy, expectLiveBytes, type LivingDatabase, startProduction } from './livingDatabases.ts'
import { sweepContextOf } from './plantFile.ts'

let service: TestService
let tenant: TestTenant
let production: LivingDatabase
let clone: LivingDatabase
let copy: DatabaseCopy | undefined

beforeEach(async () => {
  ;({ service, tenant, production } = await startProduction())
})

afterEach(async () => {
  await copy?.close()
  copy = undefined
  await service.close()
})

async function copyProduction(by: CopiedBy): Promise<void> {
  ;({ clone, copy } = await cloneOf(service, tenant, by))
}

const minute = 60_000
const both = () => [production, clone]

/** Both sweep with graces of zero, again and again, and neither deletes anything. */
async function expectNothingDeleted(): Promise<void> {
  const before = await listTenantObjects(service.blobs)
  for (const one of [clone, production, clone, production]) expect(await one.sweep()).toBe(0)
  expect(await listTenantObjects(service.blobs)).toEqual(before)
  await expectLiveBytes(both())
}

describe.each(['DUMP', 'DISK'] as const)('a database that was copied by %s', (by) => {
  it('that runs for a minute before production stops all deletes, including its own', async () => {
    const shared = await production.upload()
    await copyProduction(by)
    await clone.look()
    await production.upload()
    expect(await production.look()).toMatch(/older than the bucket|objected to all deletes/)
    await production.upload()
    await clone.upload()
    await production.trash(shared)
    await production.purge(shared)
    await expectNothingDeleted()
    expect(await clone.look()).not.toBeNull()
    expect(await production.look()).not.toBeNull()
  })

  it('that runs beside production stops all deletes', async () => {
    await production.upload()
    await copyProduction(by)
    for (let round = 0; round < 3; round += 1) {
      await production.upload()
      await production.look()
      await clone.upload()
      await clone.look()
    }
    await expectNothingDeleted()
    expect(await listVetoes(service.blobs)).toHaveLength(2)
  })

  it('that starts long after production continued stops all deletes', async () => {
    await production.upload()
    await copyProduction(by)
    for (let round = 0; round < 5; round += 1) await production.look()
    await production.upload()
    await clone.upload()
    expect(await clone.look()).toMatch(/older than the bucket/)
    expect(await production.look()).toMatch(/objected to all deletes/)
    await expectNothingDeleted()
  })

  it('deletes nothing of production in the minute before production notices it', async () => {
    const restored = await production.upload()
    await production.trash(restored)
    await copyProduction(by)
    await clone.look()
    await production.restore(restored)
    await production.upload()
    await clone.purge(restored)
    for (let round = 0; round < 3; round += 1) expect(await clone.sweep()).toBe(0)
    await expectLiveBytes([production])
  })
})

describe('after a decision', () => {
  beforeEach(async () => {
    await production.upload()
    await copyProduction('DISK')
    await clone.look()
    await production.look()
    await clone.look()
  })

  it('both sides are shown to the person who decides', async () => {
    await production.upload()
    const { doubt, self, others, newest } = await readSides(production.parts)
    expect(doubt).toMatchObject({ finding: 'AHEAD' })
    expect(self).toMatchObject({ tenants: 1, files: 2, versions: 2 })
    expect(others).toMatchObject([{ finding: 'VETOED', self: { tenants: 1, files: 1 } }])
    expect(newest?.writer).toMatchObject({ host: expect.any(String) })
  })

  it('the accepted database deletes again, and objects of the other one stay as FOREIGN', async () => {
    const ofClone = await clone.upload()
    await acceptBucket(production.parts)
    const doomed = await production.upload()
    await production.trash(doomed)
    await production.purge(doomed)
    expect(await production.sweep()).toBe(1)
    const { tally } = await sweepWith(service, production.parts, tenant.id, 'RECONCILE')
    expect(tally).toMatchObject({ deleted: 0, held: { FOREIGN: 1 } })
    expect(await clone.liveFiles()).toContainEqual(expect.objectContaining({ fileId: ofClone }))
    await expectLiveBytes(both())
  })

  it('the other one objects again if it still runs', async () => {
    await acceptBucket(production.parts)
    expect(await production.look()).toBeNull()
    expect(await clone.look()).toMatch(/older than the bucket/)
    expect(await production.look()).toMatch(/objected to all deletes/)
    await expectNothingDeleted()
  })

  it('a retired database objects no more, and deletes nothing', async () => {
    await retireDatabase(clone.parts, 'a test')
    await acceptBucket(production.parts)
    expect(await clone.look()).toMatch(/another database owns this bucket/)
    expect(await production.look()).toBeNull()
    expect(await clone.sweep()).toBe(0)
    await acceptBucket(clone.parts)
    expect(await clone.look()).toBeNull()
  })

  it('a process that dies between any two of its requests leaves deletes refused, or the decision made', async () => {
    for (let survives = 0; ; survives += 1) {
      const blobs = dyingAfter(survives, service.blobs)
      const outcome = await acceptBucket({ ...production.parts, blobs }).catch((error: Error) => error.message)
      const refusal = await production.look()
      if (outcome === undefined) {
        expect(refusal).toBeNull()
        expect(survives).toBeGreaterThan(2)
        return
      }
      expect(outcome).toBe('The process died')
      const isDone = refusal === null
      if (isDone) expect(await listVetoes(service.blobs)).toEqual([])
      else await expectNothingDeleted()
    }
  })
})

/** A bucket that takes so many requests that change it, and then none. */
function dyingAfter(changes: number, blobs: BlobStore): BlobStore {
  let left = changes
  const spend = () => {
    left -= 1
    if (left < 0) throw new Error('The process died')
  }
  return {
    ...blobs,
    write: async (...args) => (spend(), blobs.write(...args)),
    delete: async (keys) => {
      if (keys.length > 0) spend()
      return blobs.delete(keys)
    },
  }
}

describe('an upload that was pending when the backup was taken', () => {
  /** Committed in production after the copy, ended in the copy, which a person then accepts. */
  async function acceptCopyWithout(finish: (intentId: string) => Promise<unknown>) {
    const ctx = service.contextOf(tenant.member)
    const declared = { name: 'a.txt', contentType: 'text/plain', byteSize: 5, sha256: null }
    const intent = await createUploadIntent(ctx, { ...declared, fileId: null, retention: null, idempotencyKey: null })
    const sent = await sendBytes(await signUpload(ctx, intent), 'hello')
    expect(sent.status).toBe(200)
    await copyProduction('DUMP')
    await finish(intent.id)
    expect(await clone.look()).not.toBeNull()
    await cancelUpload({ ...ctx, ...clone.parts }, intent.id)
    await acceptBucket(clone.parts)
    return { ctx, key: (await listTenantObjects(service.blobs))[0]?.split(' ')[0] ?? '' }
  }
  const purge = (options: Partial<RunOptions> = {}) => {
    const ctx = { ...sweepContextOf(service, tenant), ...clone.parts }
    return recordRun(ctx, 'DELETE_BLOBS', { ...usualRun, ...options }, deleteReleasedBlobs)
  }

  it('and was committed after it keeps its bytes, until an operator asks for the delete', async () => {
    const { key } = await acceptCopyWithout((id) => commitUpload(service.contextOf(tenant.member), id))
    await expectLiveBytes([production])
    for (let round = 0; round < 2; round += 1) {
      await clone.sweep()
      await expectLiveBytes([production])
    }
    await clone.parts.database.write(tenant.id, (tx) =>
      tx.db.update(blobRows).set({ purgeNotBefore: null }).where(tx.inTenant(blobRows)),
    )
    expect((await purge()).tally).toMatchObject({ deleted: 0, held: { FOREIGN: 1 } })
    expect(await service.blobs.head(key)).not.toBeNull()
    await clone.parts.database.write(tenant.id, (tx) =>
      tx.db.update(blobRows).set({ purgeNotBefore: null }).where(tx.inTenant(blobRows)),
    )
    expect((await purge({ includesForeign: true })).tally).toMatchObject({ deleted: 1 })
  })

  it('does not delay uploads that are created and ended after the decision', async () => {
    const { ctx } = await acceptCopyWithout(async () => undefined)
    service.clock.offsetMs = 3 * minute
    const later = { ...ctx, ...clone.parts }
    const declared = { name: 'b.txt', contentType: 'text/plain', byteSize: 5, sha256: null }
    const intent = await createUploadIntent(later, { ...declared, fileId: null, retention: null, idempotencyKey: null })
    expect((await sendBytes(await signUpload(later, intent), 'hello')).status).toBe(200)
    await cancelUpload(later, intent.id)
    service.clock.offsetMs = 6 * minute
    const ago = `update blobs set deleting_since = now() - interval '1 minute' where deleting_since is not null`
    await copy?.sql.unsafe(ago)
    expect((await purge()).tally).toMatchObject({ deleted: 1, held: { FOREIGN: 1 } })
  })
})

describe('a database server that was restarted', () => {
  const restart = () =>
    production.parts.database.lookUp((db) => db.execute(`update installation set server_started_at = 'another start'`))
  const mayDelete = () =>
    assertMayDelete(sweepContextOf(service, tenant)).then(
      () => null,
      (error: Error) => error.message,
    )

  it('deletes nothing before it has marked the bucket for five minutes, and then continues by itself', async () => {
    expect(await mayDelete()).toBeNull()
    await restart()
    expect(await mayDelete()).toMatch(/before it has marked the bucket/)
    expect(await production.look()).toBeNull()
    expect(await mayDelete()).toMatch(/Nothing is deleted before/)
    service.clock.offsetMs = 4 * minute
    expect(await mayDelete()).toMatch(/Nothing is deleted before/)
    // The database's clock counts as well: it did not move.
    service.clock.offsetMs = 6 * minute
    expect(await mayDelete()).toMatch(/Nothing is deleted before/)
    const ago = `update installation set settling_since = settling_since - interval '6 minutes'`
    await production.parts.database.lookUp((db) => db.execute(ago))
    expect(await mayDelete()).toBeNull()
    expect(await production.look()).toBeNull()
  })
})

describe('the last check before a delete', () => {
  it('finds a veto that appeared after the start of the run', async () => {
    await production.upload()
    await copyProduction('DUMP')
    const ctx = sweepContextOf(service, tenant)
    const [file] = await production.liveFiles()
    await clone.look()
    await expect(deleteFromBucket(ctx, takeLease(), [file?.key ?? ''])).rejects.toThrow(/objected to all deletes/)
    await expectLiveBytes([production])
  })

  it('does not count when the process was stopped between the answer and the delete', async () => {
    await production.upload()
    await copyProduction('DUMP')
    const [file] = await production.liveFiles()
    const now = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValueOnce(0).mockReturnValue(60_000)
    const asked = deleteFromBucket(sweepContextOf(service, tenant), takeLease(), [file?.key ?? ''])
    await expect(asked.finally(() => now.mockRestore())).rejects.toThrow(/asked too long ago/)
    await expectLiveBytes([production])
  })
})

describe('a single gate, on the database of a clone', () => {
  /** What the clone believes of a file that production uploaded after the copy. */
  async function evidenceOfClone() {
    await copyProduction('DISK')
    await clone.look()
    const fileId = await production.upload()
    const key = (await production.liveFiles()).find((file) => file.fileId === fileId)?.key ?? ''
    await sweepWith(service, clone.parts, tenant.id, 'RECONCILE')
    const [watched] = await clone.parts.database.read(tenant.id, (tx) =>
      tx.db.select().from(orphanObjects).where(tx.inTenant(orphanObjects)),
    )
    if (watched?.objectKey !== key) throw new Error('The clone does not see the file as an orphan')
    await production.look()
    const [evidence] = await readOrphanEvidence({ ...sweepContextOf(service, tenant), ...clone.parts }, [watched])
    if (!evidence) throw new Error('There is no evidence')
    const { installationId } = (await readSides(clone.parts)).self
    return { evidence, rule: { installationId, runId: evidence.seenByRun, includesForeign: false } }
  }

  it.each([
    ['BUCKET', 0],
    ['FOREIGN', 0],
    ['WATCH', 86_400_000],
    ['OBJECT', 86_400_000],
  ] as const)('%s keeps what production uploaded, with a grace of %i ms', async (gate, graceMs) => {
    const { evidence, rule } = await evidenceOfClone()
    const alone: Partial<typeof orphanGates> = { [gate]: orphanGates[gate] }
    expect(orphanHeldBy(evidence, { ...rule, graceMs }, alone)).toBe(gate)
  })

  it('ROWS has no row there, and is needed for rows of this database', async () => {
    const { evidence, rule } = await evidenceOfClone()
    const alone = { ROWS: orphanGates.ROWS }
    expect(orphanHeldBy(evidence, { ...rule, graceMs: 0 }, alone)).toBeNull()
    expect(orphanHeldBy({ ...evidence, rowCount: 1 }, { ...rule, graceMs: 0 }, alone)).toBe('ROWS')
  })
})

describe('all gates', () => {
  const past = new Date('2026-01-01T00:00:00Z')
  const due = {
    objectKey: 'k',
    byteSize: 1,
    etag: 'e',
    firstSeenAt: past,
    seenByRun: 'run',
    rowCount: 0,
    openIntentCount: 0,
    endedIntentCount: 1,
    purgeCount: 1,
    stored: { byteSize: 1, etag: 'e', lastModified: past, installation: null },
    isOwnBucket: true,
    now: new Date('2026-01-02T00:00:00Z'),
  }
  const rule = { installationId: 'ours', runId: 'run', graceMs: 86_400_000, includesForeign: false }
  const { stored, now } = due

  it('let an object go after its whole history', () => {
    expect(orphanHeldBy(due, rule)).toBeNull()
    expect(orphanHeldBy({ ...due, stored: { ...stored, installation: 'ours' } }, rule)).toBeNull()
  })

  it.each<[OrphanGate, string, Partial<typeof due>]>([
    ['ROWS', 'a row has it', { rowCount: 1 }],
    ['BUCKET', 'the bucket is in doubt', { isOwnBucket: false }],
    ['WATCH', 'another run listed it', { seenByRun: 'another' }],
    ['WATCH', 'it is watched for a millisecond too short', { firstSeenAt: new Date(past.getTime() + 1) }],
    ['OBJECT', 'it has another size', { stored: { ...stored, byteSize: 2 } }],
    ['OBJECT', 'it has another ETag', { stored: { ...stored, etag: 'f' } }],
    ['OBJECT', 'it is a millisecond too young', { stored: { ...stored, lastModified: new Date(past.getTime() + 1) } }],
    ['OBJECT', 'its age is unknown', { stored: { ...stored, lastModified: null as never } }],
    ['OBJECT', 'another installation wrote it', { stored: { ...stored, installation: 'theirs' as never } }],
    ['OBJECT', 'it is gone', { stored: null as never }],
    ['FOREIGN', 'no intent made it', { endedIntentCount: 0 }],
    ['FOREIGN', 'its intent is open', { openIntentCount: 1 }],
    ['FOREIGN', 'the purge never removed its row', { purgeCount: 0 }],
  ])('%s alone holds it when %s', (gate, _why, change) => {
    const orphan = { ...due, ...change }
    expect(orphanHeldBy(orphan, rule, { [gate]: orphanGates[gate] })).toBe(gate)
    const others = Object.fromEntries(Object.entries(orphanGates).filter(([name]) => name !== gate))
    expect(orphanHeldBy(orphan, rule, others)).toBeNull()
    expect(orphan.now).toBe(now)
  })

  it('let a foreign object go for an operator, and hold it while its intent is open', () => {
    const foreign = { ...due, endedIntentCount: 0, purgeCount: 0 }
    expect(orphanHeldBy(foreign, { ...rule, includesForeign: true })).toBeNull()
    expect(orphanHeldBy({ ...foreign, openIntentCount: 1 }, { ...rule, includesForeign: true })).toBe('FOREIGN')
  })
})

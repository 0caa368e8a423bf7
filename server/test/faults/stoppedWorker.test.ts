import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { violationsIn } from '../../src/domain/fsck/testing/violationsIn.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import { actions, type Report, type Subject } from './crashActions.ts'
import { type CrashScene, endAllWaits, look, openCrashScene, plantTrashed } from './crashScene.ts'

let scene: CrashScene

beforeAll(async () => {
  scene = await openCrashScene()
  await actions.advanceMarker(scene.member)
})
afterAll(() => scene.close())

/** Bytes that are released and may go, and where they lie. */
async function plantReleased(): Promise<{ subject: Subject; key: string; blobId: string }> {
  const subject = await plantTrashed(scene)
  const [blob] = await scene.sql`select b.id, b.object_key from blobs b
    join file_versions v on v.blob_id = b.id where v.file_id = ${subject.fileId}`
  await purgeFile(scene.member, subject.fileId)
  await endAllWaits(scene)
  return { subject, key: blob?.['object_key'], blobId: blob?.['id'] }
}

/** A worker that stands still from a step on, until it is woken. */
async function stopAt(step: string): Promise<{ wake(): Promise<Report> }> {
  const nothing = { fileId: '', uploadId: '', idempotencyKey: randomUUID() }
  const told = { action: 'deleteBlobs', subject: nothing, principal: scene.system, step, signal: 'SIGSTOP' } as const
  const { child, report } = await scene.workers.begin(told)
  await expect.poll(() => scene.workers.isStopped(child), { timeout: 60_000 }).toBe(true)
  return {
    wake: () => {
      child.kill('SIGCONT')
      return report
    },
  }
}

const purgesOf = async (blobId: string): Promise<number> => {
  const [row] = await scene.sql`select count(*)::int as n from audit_log
    where subject_id = ${blobId} and action = 'blob.purged'`
  return row?.['n']
}

const sweep = () => scene.service.sweep(scene.tenant.id, 'DELETE_BLOBS')

it.each(['after commit 2', 'after head 1', 'before delete 1', 'after delete 1', 'after commit 4'])(
  'leaves the work to another, and does not repeat it, when it is stopped %s and its lease ends',
  { timeout: 120_000 },
  async (step) => {
    const { subject, key, blobId } = await plantReleased()
    const stopped = await stopAt(step)
    await endAllWaits(scene)
    expect((await sweep()).ended).toBeNull()
    const finished = await look(scene, subject)
    expect([await scene.service.blobs.head(key), await purgesOf(blobId)]).toEqual([null, 1])

    const { error } = await stopped.wake()
    expect(error).toBeNull()
    expect(await look(scene, subject)).toBe(finished)
    expect(await purgesOf(blobId)).toBe(1)
    expect(await violationsIn(scene.service)).toEqual([])
  },
)

it('keeps others from what it has claimed while its lease lasts', { timeout: 120_000 }, async () => {
  const { key, blobId } = await plantReleased()
  const stopped = await stopAt('before delete 1')
  expect((await sweep()).tally.deleted).toBe(0)
  expect(await scene.service.blobs.head(key)).not.toBeNull()
  await stopped.wake()
  expect([await scene.service.blobs.head(key), await purgesOf(blobId)]).toEqual([null, 1])
})

import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attachFile, detachFile, replaceAttachment } from '../../src/domain/files/attachments/attachments.ts'
import { deleteFile } from '../../src/domain/files/changeFile.ts'
import { violationsIn } from '../../src/domain/fsck/testing/violationsIn.ts'
import { FileInUse, Refusal } from '../../src/domain/refusals.ts'
import { startTestService, type TestService } from '../testService.ts'
import { interleave } from './interleave.ts'
import { openSuperuser } from './plantFile.ts'
import { addFile, avatar, owner, type Scene, sendVersion, stage, stageOf, verbNames, verbs } from './scene.ts'

const rounds = process.env['FAULTS'] === 'long' ? 100 : 2

let service: TestService
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  sql = openSuperuser(service, 2)
})

afterAll(async () => {
  await sql.end()
  await service.close()
})

const stageLive = () => stage(service, sql, 'LIVE', { awaitsVersion: false })
const expectKept = async ({ tenant }: Scene) => expect(await violationsIn(service, { tenant })).toEqual([])

const inSlot = ({ tenant }: Scene) => sql`select file_id from attachments
  where tenant_id = ${tenant.id} and owner_type = ${avatar.ownerType} and slot = ${avatar.slot}`

describe('all verbs at once', () => {
  it.each(['LIVE', 'ATTACHED', 'TRASHED', 'RELEASED'] as const)('keep every promise, started as %s', async (as) => {
    for (let round = 0; round < rounds; round += 1) {
      const scene = await stage(service, sql, as, { awaitsVersion: round % 2 === 0 })
      // Another order each round, the same in each run.
      const queue = [...verbNames, ...verbNames].sort(
        (one, other) => rank(one, round) - rank(other, round) || stageOf[one].localeCompare(stageOf[other]),
      )
      const acts = queue.filter((name) => name !== 'commit' || scene.uploadId !== null)
      const outcomes = await Promise.allSettled(acts.map((name): Promise<unknown> => verbs[name](service, scene)))
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Refusal)
      }
      await expectKept(scene)
    }
  })

  const rank = (name: (typeof verbNames)[number], round: number) =>
    (verbNames.indexOf(name) * 7 + round * 3) % verbNames.length
})

describe('concurrent replacements of one slot', () => {
  it.each(['an empty', 'a full'])('leave exactly one file in %s slot', async (kind) => {
    for (let round = 0; round < rounds; round += 1) {
      const scene = await stageLive()
      const others = [
        await addFile(scene.ctx, 'one'),
        await addFile(scene.ctx, 'two'),
        await addFile(scene.ctx, 'three'),
      ]
      if (kind === 'a full') await replaceAttachment(scene.ctx, scene.fileId, avatar)
      await Promise.all(others.map((fileId) => replaceAttachment(scene.ctx, fileId, avatar)))
      expect(await inSlot(scene)).toHaveLength(1)
      await expectKept(scene)
    }
  })

  it('take their locks in the order of the others, so that they do not deadlock', async () => {
    const scene = await stageLive()
    const other = await addFile(scene.ctx, 'another')
    const uploadId = await sendVersion(scene.ctx, 'a second version', scene.fileId)
    service.statements.length = 0
    // The slot is empty, so the first wants the tenant's row too: after that of its file, as the last does.
    const outcomes = await interleave<unknown>(sql, 'USAGE', scene.fileId, [
      () => replaceAttachment(scene.ctx, other, avatar),
      () => attachFile(scene.ctx, scene.fileId, avatar),
      () => verbs.commit(service, { ...scene, uploadId }),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(service.statements).not.toContain('rollback')
    await expectKept(scene)
  })
})

describe('fifty concurrent changes of attachments', () => {
  it('leave the counter equal to the rows', async () => {
    const scene = await stageLive()
    const owners = Array.from({ length: 25 }, (_, at) => ({ ...owner, ownerId: String(at) }))
    await attachFile(scene.ctx, scene.fileId, owner)
    const verb = (at: number) => (at % 3 === 0 ? detachFile : attachFile)
    await Promise.all([...owners, ...owners].map((who, at) => verb(at)(scene.ctx, scene.fileId, who)))
    const [row] =
      await sql`select attachment_count, (select count(*)::int from attachments a where a.file_id = f.id) as rows
      from files f where id = ${scene.fileId}`
    expect(row?.['attachment_count']).toBe(row?.['rows'])
    await expectKept(scene)
  })
})

describe('an open transaction of a host application', () => {
  /** Attaches in a transaction that `end` decides about, while somebody deletes the file. */
  async function deleteMeanwhile(end: 'commit' | 'rollback') {
    const scene = await stageLive()
    const host = await sql.reserve()
    try {
      await host`begin`
      await host`set local role filegraph_host`
      await host`select filegraph.set_tenant(${scene.tenant.id}, 'user-1')`
      await host`select filegraph.attach_file(${scene.fileId}, 'invoice', '7', 'default')`
      let hasEnded = false
      const deletion = deleteFile(scene.ctx, scene.fileId).finally(() => {
        hasEnded = true
      })
      const settled = Promise.allSettled([deletion])
      while ((await countWaiting()) === 0) expect(hasEnded).toBe(false)
      await host.unsafe(end)
      const [outcome] = await settled
      await expectKept(scene)
      return { scene, outcome }
    } finally {
      host.release()
    }
  }

  const countWaiting = async () => {
    const [row] = await sql`select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and application_name = 'test' and wait_event_type = 'Lock'`
    return Number(row?.['waiting'])
  }

  it('delays a deletion, which is refused after it has committed', async () => {
    const { outcome } = await deleteMeanwhile('commit')
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'FILE_IN_USE', attachmentCount: 1 } })
    expect(outcome?.status === 'rejected' && outcome.reason).toBeInstanceOf(FileInUse)
  })

  it('delays a deletion, which succeeds after it has rolled back', async () => {
    const { outcome, scene } = await deleteMeanwhile('rollback')
    expect(outcome?.status).toBe('fulfilled')
    const [row] = await sql`select soft_deleted_at is not null as trashed from files where id = ${scene.fileId}`
    expect(row).toEqual({ trashed: true })
  })
})

import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violationsIn } from '../../src/domain/fsck/testing/violationsIn.ts'
import { Refusal } from '../../src/domain/refusals.ts'
import { startTestService, type TestService } from '../testService.ts'
import { type Barrier, interleave } from './interleave.ts'
import { openSuperuser } from './plantFile.ts'
import { type Scene, stage, type Stage, stageOf, type Verb, verbNames, verbs } from './scene.ts'

const isLong = process.env['FAULTS'] === 'long'

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

/** Runs the verbs through the barrier in this order and looks at what they left; answers with which of them succeeded. */
async function play(barrier: Barrier, as: Stage, names: readonly Verb[]): Promise<{ scene: Scene; done: boolean[] }> {
  const scene = await stage(service, sql, as, { awaitsVersion: names.includes('commit') })
  const acts = names.map((name) => (): Promise<unknown> => verbs[name](service, scene))
  const outcomes = await interleave(sql, barrier, scene.fileId, acts)
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  expect(errors.filter((error) => !(error instanceof Refusal))).toEqual([])
  expect(await violationsIn(service, { tenant: scene.tenant })).toEqual([])
  return { scene, done: outcomes.map(({ status }) => status === 'fulfilled') }
}

async function readState({ fileId }: Scene) {
  const [row] = await sql`select attachment_count > 0 as attached, soft_deleted_at is not null as trashed,
      purged_at is not null as purged, held_at is not null as held, current_version as version,
      (select count(*)::int from file_versions v where v.file_id = f.id) as kept
    from files f where id = ${fileId}`
  return row as unknown as {
    readonly attached: boolean
    readonly trashed: boolean
    readonly purged: boolean
    readonly held: boolean
    readonly version: number
    readonly kept: number
  }
}

/** The longer pass meets at both barriers in both orders, from every stage. */
const pairs = verbNames.flatMap((first, at) =>
  verbNames.flatMap((second, behind) =>
    (['FILE', 'AUDIT_LOG'] as const)
      .filter((barrier) => isLong || barrier === 'AUDIT_LOG' || at > behind)
      .map((barrier) => [first, second, barrier] as const),
  ),
)

describe('two concurrent verbs', () => {
  it.each(pairs)('%s before %s, at %s, keep every promise', async (first, second, barrier) => {
    const stages = isLong ? (['LIVE', 'ATTACHED', 'TRASHED', 'RELEASED'] as const) : [stageOf[first]]
    for (const as of stages) {
      const { scene, done } = await play(barrier, as, [first, second])
      const { attached, trashed, purged, held, version, kept } = await readState(scene)
      // A caller that was told that it is attached or held finds it so.
      if (attached) expect({ trashed, purged }).toEqual({ trashed: false, purged: false })
      if (held) expect(purged).toBe(false)
      expect(kept).toBe(purged ? 0 : version)
      const [hasHappened, names] = [(verb: Verb) => done[[first, second].indexOf(verb)] === true, [first, second]]
      if (hasHappened('attach') && !names.includes('detach')) expect(attached).toBe(true)
      if (hasHappened('hold')) expect(held).toBe(true)
      if (hasHappened('commit')) expect(version).toBe(2)
      if (hasHappened('purgeFile')) expect(purged).toBe(true)
    }
  })
})

describe('of two verbs that exclude each other only one succeeds', () => {
  it.each([
    ['LIVE', 'attach', 'delete'],
    ['LIVE', 'replace', 'delete'],
    ['TRASHED', 'restore', 'purgeFile'],
    ['TRASHED', 'hold', 'purgeFile'],
    ['TRASHED', 'purgeFile', 'purgeFile'],
  ] as const)('%s: %s and %s, in either order', async (as, one, other) => {
    for (const barrier of ['FILE', 'AUDIT_LOG'] as const) {
      expect((await play(barrier, as, [one, other])).done).toEqual([true, false])
      expect((await play(barrier, as, [other, one])).done).toEqual([true, false])
    }
  })
})

it('a file that was moved to the trash before gets no new version', async () => {
  for (const barrier of ['FILE', 'AUDIT_LOG'] as const) {
    const { scene, done } = await play(barrier, 'LIVE', ['delete', 'commit'])
    expect(done).toEqual([true, false])
    expect(await readState(scene)).toMatchObject({ trashed: true, version: 1 })
  }
})

describe('three concurrent verbs', () => {
  const threes: readonly (readonly [Stage, Verb, Verb, Verb])[] = [
    ['LIVE', 'attach', 'delete', 'restore'],
    ['LIVE', 'commit', 'delete', 'purgeFile'],
    ['LIVE', 'commit', 'attach', 'delete'],
    ['ATTACHED', 'detach', 'attach', 'delete'],
    ['ATTACHED', 'detach', 'restore', 'purgeFile'],
    ['ATTACHED', 'detach', 'replace', 'purge'],
    ['TRASHED', 'restore', 'attach', 'purge'],
    ['TRASHED', 'hold', 'purge', 'restore'],
    ['TRASHED', 'purgeFile', 'deleteBlobs', 'restore'],
    ['RELEASED', 'deleteBlobs', 'deleteBlobs', 'restore'],
  ]
  const orders = [
    [0, 1, 2],
    ...(isLong
      ? [
          [0, 2, 1],
          [1, 0, 2],
          [1, 2, 0],
          [2, 0, 1],
        ]
      : [[1, 2, 0]]),
  ]

  it.each(threes)('%s: %s, %s and %s in any order keep every promise', async (as, ...names) => {
    for (const order of orders) {
      const queue = order.map((at) => names[at]).filter((name) => name !== undefined)
      for (const barrier of ['FILE', 'AUDIT_LOG'] as const) await play(barrier, as, queue)
    }
  })
})

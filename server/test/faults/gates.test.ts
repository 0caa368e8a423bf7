import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteBlobs } from '../../src/domain/sweeps/purge/deleteBlobs.ts'
import { allGates, type Gate } from '../../src/domain/sweeps/purge/gates.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import { contentOf, newRun, openSaboteur, plantAttachedFile, sweepContextOf, usualCutOff } from './plantFile.ts'

let service: TestService
let tenant: TestTenant
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  sql = await openSaboteur(service)
})

afterAll(async () => {
  await sql.end()
  await service.close()
})

const names = Object.keys(allGates) as Gate[]

/** Each set of gates that holds at least one: 31. */
const subsets = Array.from({ length: 2 ** names.length - 1 }, (_, at) =>
  names.filter((_name, bit) => ((at + 1) >> bit) % 2 === 1),
)
const only = (some: readonly Gate[]) => Object.fromEntries(some.map((gate) => [gate, allGates[gate]]))

describe('a file in use', () => {
  it('is evaluated by every combination of gates', () => {
    expect(new Set(subsets.map((some) => some.join())).size).toBe(31)
    for (const gate of names) expect(subsets).toContainEqual([gate])
  })

  it.each(subsets.map((some) => [some.join(' and '), some] as const))(
    'keeps its bytes behind %s alone',
    async (_names, some) => {
      const planted = await plantAttachedFile(service, tenant, sql)
      const run = newRun()
      await deleteBlobs({ ctx: sweepContextOf(service, tenant), run, cutOff: usualCutOff(), gates: only(some) }, [
        planted.blobId,
      ])
      expect(await contentOf(service, planted.objectKey)).toBe(planted.content)
      const [row] = await sql`select status, refcount from blobs where id = ${planted.blobId}`
      expect(row).toMatchObject({ status: 'ready', refcount: 1 })
      expect(run.tally).toMatchObject({ examined: 1, deleted: 0, held: { [String(some[0])]: 1 } })
      const [{ purged } = {}] = await sql`select count(*)::int as purged from events where type = 'blob.purged'`
      expect(purged).toBe(0)
    },
  )

  it('would lose its bytes without gates, so that these tests can detect it', async () => {
    const planted = await plantAttachedFile(service, tenant, sql)
    await deleteBlobs({ ctx: sweepContextOf(service, tenant), run: newRun(), cutOff: usualCutOff(), gates: {} }, [
      planted.blobId,
    ])
    expect(await contentOf(service, planted.objectKey)).toBeNull()
  })
})

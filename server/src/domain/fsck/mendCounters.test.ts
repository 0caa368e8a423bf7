import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mendCounters } from './mendCounters.ts'
import { violationsIn } from './testing/violationsIn.ts'
import { type Furnished, openWorkbench, type Workbench } from './testing/workbench.ts'

let bench: Workbench
beforeAll(async () => {
  bench = await openWorkbench()
})
afterAll(() => bench.close())

async function mend(tenant: Furnished): Promise<string[]> {
  const mended: string[] = []
  for await (const { invariant } of mendCounters(bench.service, { tenant, skipsBucket: true })) mended.push(invariant)
  return mended
}

describe('the repair of counters', () => {
  it('sets every counter to the counted value', async () => {
    const tenant = await bench.furnish()
    const { id } = await tenant.blobOf(tenant.kept)
    await bench.plant(`update files set attachment_count = 0 where id = '${tenant.attached}'`)
    await bench.plant(`update blobs set refcount = 3 where id = '${id}'`)
    await bench.plant(
      `update tenant_usage set file_count = 9, stored_bytes = 0, reserved_bytes = 7 where tenant_id = '${tenant.id}'`,
    )
    expect(await violationsIn(bench.service, { tenant })).toHaveLength(5)
    expect(await mend(tenant)).toEqual(['ATTACHMENT_COUNT', 'REFCOUNT', 'USAGE', 'USAGE', 'USAGE'])
    expect(await violationsIn(bench.service, { tenant })).toEqual([])
    expect(await mend(tenant)).toEqual([])
  })

  it('does not change a reference count that would delete or revive bytes', async () => {
    const tenant = await bench.furnish()
    const trashed = await tenant.blobOf(tenant.trashed)
    await bench.plant(`delete from file_versions where file_id = '${tenant.trashed}'`)
    await bench.plant(
      `update blobs set status = 'deleting', deleting_since = now(), refcount = 0 where id = '${(await tenant.blobOf(tenant.kept)).id}'`,
    )
    const before = (await violationsIn(bench.service, { tenant })).filter((told) => !told.startsWith('USAGE'))
    expect(before).toContainEqual(expect.stringContaining(`The blob ${trashed.id} counts 1 references and has 0.`))
    expect(new Set(await mend(tenant))).toEqual(new Set(['USAGE']))
    expect(await violationsIn(bench.service, { tenant })).toEqual(before)
  })

  it('does not change the counter of an attached file in the trash', async () => {
    const tenant = await bench.furnish()
    await bench.plant(
      `update files set soft_deleted_at = now(), soft_deleted_by = uploaded_by, attachment_count = 0 where id = '${tenant.attached}'`,
    )
    expect(new Set(await mend(tenant))).toEqual(new Set(['USAGE']))
    expect(await violationsIn(bench.service, { tenant })).toEqual([
      expect.stringMatching(/^ATTACHMENT_COUNT: /),
      expect.stringMatching(/^LIFECYCLE: /),
    ])
  })

  it('changes neither history nor bytes', async () => {
    const tenant = await bench.furnish()
    await bench.plant(`delete from events where subject_id = '${tenant.trashed}' and type = 'file.soft_deleted'`)
    await bench.service.blobs.delete([(await tenant.blobOf(tenant.attached)).key])
    expect(await mend(tenant)).toEqual([])
    const left = [
      expect.stringMatching(/^BYTES|^MISSING/),
      ...Array.from({ length: 3 }, () => expect.stringMatching(/^JOURNAL/)),
    ]
    expect((await violationsIn(bench.service, { tenant })).toSorted()).toEqual(left.toSorted())
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Furnished, openWorkbench, type Workbench } from '../domain/fsck/testing/workbench.ts'
import { commandsIn } from './testing/command.ts'
import { environmentOf } from './testing/environmentOf.ts'

let bench: Workbench
let tenant: Furnished
let run: ReturnType<typeof commandsIn>

beforeAll(async () => {
  bench = await openWorkbench()
  run = commandsIn(environmentOf(bench.service))
  await bench.furnish()
  tenant = await bench.furnish()
})
afterAll(() => bench.close())

const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

const miscount = () => bench.plant(`update files set attachment_count = 4 where id = '${tenant.attached}'`)

describe('fsck', () => {
  it('exits with 0 if there are no violations, in one tenant or in all', async () => {
    expect(await run('fsck')).toEqual({ code: 0, stdout: '0 violations, 0 remarks, 0 mended.\n', stderr: '' })
    expect(await run('fsck', '--tenant', tenant.slug, '--json')).toEqual({
      code: 0,
      stdout: '{"summary":{"violations":0,"information":0,"mended":0}}\n',
      stderr: '',
    })
  })

  it('prints each violation with its tenant, and exits with 1', async () => {
    await miscount()
    const { code, stdout, stderr } = await run('fsck')
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'Problems were found.\n' })
    expect(stdout.split('\n')).toEqual([
      `VIOLATION  ATTACHMENT_COUNT ${tenant.slug}: The file "attached.txt" (${tenant.attached}) counts 4 attachments and has 1.`,
      '1 violations, 0 remarks, 0 mended.',
      '',
    ])
    const asJson = await run('fsck', '--json')
    expect(asJson.code).toBe(1)
    expect(jsonLines(asJson.stdout)).toEqual([
      {
        tenant: tenant.slug,
        severity: 'VIOLATION',
        invariant: 'ATTACHMENT_COUNT',
        subject: { type: 'file', id: tenant.attached },
        message: expect.stringContaining('attached.txt'),
      },
      { summary: { violations: 1, information: 0, mended: 0 } },
    ])
  })

  it('repairs counters, reports it, and checks again', async () => {
    const { code, stdout } = await run('fsck', '--repair', '--json')
    expect(code).toBe(0)
    expect(jsonLines(stdout)).toEqual([
      { mended: expect.objectContaining({ tenant: tenant.slug, invariant: 'ATTACHMENT_COUNT' }) },
      { summary: { violations: 0, information: 0, mended: 1 } },
    ])
    await miscount()
    expect((await run('fsck', '--repair')).stdout).toMatch(
      /^mended {5}ATTACHMENT_COUNT .*\n0 violations, 0 remarks, 1 mended\.\n$/,
    )
    expect(await run('fsck')).toMatchObject({ code: 0 })
  })

  it('exits with 1 while a violation remains that it cannot repair', async () => {
    const { key } = await tenant.blobOf(tenant.kept)
    const bytes = await bench.service.blobs.readStart(key, 100)
    await bench.service.blobs.delete([key])
    expect(await run('fsck', '--repair')).toMatchObject({ code: 1, stdout: expect.stringContaining('are not there') })
    expect(await run('fsck', '--skip-bucket')).toMatchObject({ code: 0 })
    await bench.service.blobs.write(key, bytes ?? new Uint8Array(), { contentType: 'text/plain' })
    expect(await run('fsck')).toMatchObject({ code: 0 })
  })

  it('prints remarks, and does not fail for them', async () => {
    const key = `org/${tenant.id}/files/lost`
    await bench.service.blobs.write(key, new Uint8Array(1), { contentType: 'text/plain' })
    const { code, stdout } = await run('fsck')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `remark     ORPHAN ${tenant.slug}: No row knows the object ${key}, yet.\n0 violations, 1 remarks, 0 mended.\n`,
    })
    await bench.service.blobs.delete([key])
  })

  it('exits with 1 and one sentence for an unknown tenant and for a missing answer', async () => {
    expect(await run('fsck', '--tenant', 'nobody')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'There is no tenant "nobody". The command "tenant list" shows those there are.\n',
    })
    await bench.service.bucket.stop()
    expect(await run('fsck')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^The bucket.* cannot be used: .*\n$/),
    })
    expect(await run('fsck', '--skip-bucket')).toMatchObject({ code: 0 })
    await bench.service.bucket.start()
  })
})

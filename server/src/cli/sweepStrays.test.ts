import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../domain/ids.ts'
import { startTestService, type TestService, type TestTenant } from '../../test/testService.ts'
import { commandsIn } from './testing/command.ts'
import { environmentOf } from './testing/environmentOf.ts'

let service: TestService
let tenant: TestTenant
let run: ReturnType<typeof commandsIn>

const id = newId(new Date())
const key = `org/${id}/files/${newId(new Date())}.txt`

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  run = commandsIn({ ...environmentOf(service), ORPHAN_GRACE_SECONDS: '3600', USER: 'ada' })
  for (const each of [key, 'backups/1']) {
    await service.blobs.write(each, Buffer.from('hello'), { contentType: 'text/plain' })
  }
})
afterAll(() => service.close())

describe('sweep strays', () => {
  it('prints the prefixes in a dry run, and doctor prints what a run has found', async () => {
    expect(await run('sweep', 'reconcile')).toMatchObject({ code: 0 })
    expect(await run('doctor')).toMatchObject({
      stdout: expect.stringContaining('objects of no tenant: Not searched for'),
    })
    expect(await run('sweep', 'strays', '--dry-run')).toEqual({
      code: 0,
      stderr: '',
      stdout: `strays: looked at 1, would delete 0 (0 bytes); other 1; stray 1
  backups/  not of Filegraph, never deleted; such as backups/1
  org/${id}/  1 objects, 5 bytes; such as ${key}
`,
    })
    expect(await run('sweep', 'strays')).toMatchObject({ code: 0 })
    const found = `objects of no tenant: 1 objects (5 bytes) under 1 prefixes, such as org/${id}/ since 20`
    const { stdout } = await run('doctor')
    expect(stdout).toContain(`warning  ${found}`)
    expect(stdout).toMatch(/; 1 prefixes are not of Filegraph, and are left alone\n +Run: .*sweep strays --dry-run\n/)
  })

  it('deletes nothing before the grace period, even on request', async () => {
    const { code, stdout } = await run('sweep', 'strays', '--delete-foreign', '--tenant', id, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ tenant: null, deleted: 0, held: { GRACE: 1 }, strays: [{ tenant: id }] })
    expect(await service.blobs.head(key)).not.toBeNull()
  })

  it.each([
    ['a slug', () => ['--tenant', 'acme'], /is the id in the prefix/],
    ['the id of a tenant that is there', () => ['--tenant', tenant.id], /This database has that tenant/],
    ['a cut-off', () => ['--before', '2026-01-01T00:00:00Z'], /--before is not for strays/],
  ])('refuses %s', async (_what, args, sentence) => {
    expect(await run('sweep', 'strays', ...args())).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(sentence),
    })
  })
})

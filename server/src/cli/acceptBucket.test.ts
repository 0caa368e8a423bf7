import { hostname } from 'node:os'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DatabaseCopy, listVetoes } from '../../test/faults/drill.ts'
import { cloneOf, type LivingDatabase, productionOf } from '../../test/faults/livingDatabases.ts'
import { startTestService, type TestService } from '../../test/testService.ts'
import { runCommandLine } from './commandLine.ts'
import { environmentOf } from './testing/environmentOf.ts'

let service: TestService
let production: LivingDatabase
let clone: LivingDatabase
let copy: DatabaseCopy

/** Two databases that both claim the bucket: production with two files, the clone with three. */
beforeEach(async () => {
  service = await startTestService()
  const tenant = await service.createTenant()
  production = productionOf(service, tenant)
  expect(await production.look()).toBeNull()
  await production.upload()
  ;({ clone, copy } = await cloneOf(service, tenant, 'DUMP'))
  await production.upload()
  await clone.upload()
  await clone.upload()
  expect(await clone.look()).not.toBeNull()
  expect(await production.look()).not.toBeNull()
})

afterEach(async () => {
  await copy.close()
  await service.close()
})

interface Typed {
  readonly args?: readonly string[]
  /** What a person types at a terminal; without it there is no terminal. */
  readonly input?: string
  readonly of?: 'production' | 'clone'
}

async function accept({ args = [], input, of = 'production' }: Typed = {}) {
  let [stdout, stderr] = ['', '']
  const stdin = Object.assign(Readable.from([input ?? '']), { isTTY: input !== undefined }) as NodeJS.ReadStream
  const env = { ...environmentOf(service), USER: 'ada' }
  const code = await runCommandLine(['accept-bucket', ...args], {
    env: of === 'clone' ? { ...env, DATABASE_URL: copy.url } : env,
    stdin,
    print: (text) => (stdout += text),
    say: (text) => (stderr += text),
  })
  return { code, stdout, stderr }
}

const decisions = async () =>
  (await production.parts.database.lookUp((db) => db.execute(`select action, actor from installation_log`))).map(
    ({ action, actor }) => `${String(action)} by ${String(actor)}`,
  )

describe('accept-bucket', () => {
  it('shows both sides with their ids, counts and last writes, and decides nothing without a terminal', async () => {
    const { code, stdout, stderr } = await accept()
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'Nothing was decided. Say --keep this or --keep other.\n' })
    const [first, self = '', bucket = '', other = ''] = stdout.split('\n\n')
    const name = (url: string) => `"${new URL(url).pathname.slice(1)}"`
    const when = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`
    const id = '[0-9a-f-]{36}'
    expect(first).toMatch(/^Nothing is deleted: At .* objected to all deletes: This database was restored or copied/)
    expect(self).toContain(`This database:\n  ${name(service.testDatabase.url)}, seen from the host ${hostname()}`)
    expect(self).toMatch(new RegExp(`generation \\d+ of installation ${id}\n  1 tenants, 2 files and 0 in the trash`))
    expect(self).toMatch(new RegExp(`newest upload: ${when}; last change: ${when}$`))
    expect(bucket).toMatch(
      new RegExp(`generation \\d+ of installation ${id}\n  The last marker was written at ${when}`),
    )
    expect(other).toContain(`The other database, when it objected:\n  ${name(copy.url)}, seen from the host`)
    expect(other).toMatch(/1 tenants, 3 files and 0 in the trash/)
    expect(await listVetoes(service.blobs)).toHaveLength(2)
    expect(await production.look()).not.toBeNull()
  })

  it('asks at a terminal, and records the typed decision', async () => {
    const { code, stdout, stderr } = await accept({ input: 'this\n' })
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/Type "this" or "other": $/) })
    expect(stdout).toMatch(/This database owns the bucket\..*\n$/)
    expect(await production.look()).toBeNull()
    expect(await listVetoes(service.blobs)).toEqual([])
    expect(await decisions()).toContain(`BUCKET_ACCEPTED by ada@${hostname()}`)
  })

  it.each(['\n', 'yes\n', 'both\n', ''])('decides nothing when %j is typed', async (input) => {
    expect(await accept({ input })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Nothing was decided\.\n$/),
    })
    expect(await production.look()).not.toBeNull()
    expect((await decisions()).filter((line) => !line.startsWith('VETO_LEFT'))).toEqual([])
  })

  it.each([['--yes'], ['--keep', 'this']])(
    'decides without a terminal if an option says how: %s %s',
    async (...args) => {
      expect(await accept({ args: args.filter(Boolean) })).toMatchObject({ code: 0, stderr: '' })
      expect(await production.look()).toBeNull()
    },
  )

  it('retires one side, and then accepts the other', async () => {
    const retired = await accept({ args: ['--keep', 'other'], of: 'clone' })
    expect(retired).toMatchObject({ code: 0, stdout: expect.stringContaining('deletes nothing any more') })
    expect(await clone.look()).toMatch(/another database owns this bucket/)
    expect(await accept({ args: ['--keep', 'this'] })).toMatchObject({ code: 0 })
    expect(await clone.look()).toMatch(/another database owns this bucket/)
    expect(await production.look()).toBeNull()
  })

  it('prints JSON, and --show decides nothing', async () => {
    const { code, stdout } = await accept({ args: ['--show', '--json'] })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      decision: null,
      doubt: { finding: 'VETOED' },
      self: { files: 2, installationId: expect.any(String), newestUploadAt: expect.any(String) },
      newest: { generation: expect.any(Number), writer: { at: expect.any(String) } },
      others: [{ finding: 'MOVED', self: { files: 3 } }],
    })
    expect(await production.look()).not.toBeNull()
  })

  it('refuses --yes together with --keep other', async () => {
    const refused = await accept({ args: ['--yes', '--keep', 'other'] })
    expect(refused).toMatchObject({ code: 1, stderr: '--yes means --keep this. Give one of them.\n' })
    expect(await production.look()).not.toBeNull()
  })

  it('reports that nothing is left to decide after a decision', async () => {
    await accept({ args: ['--yes'] })
    const { code, stdout } = await accept({ args: ['--yes'] })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^This database and this bucket belong together\.[^]*There is nothing to decide\.\n$/)
    expect((await decisions()).filter((line) => line.startsWith('BUCKET_ACCEPTED'))).toHaveLength(1)
  })

  it('leaves the decision to a person: doctor, fsck and sweep report the doubt', async () => {
    const run = async (...args: string[]) => {
      let stdout = ''
      const stdin = Readable.from(['']) as NodeJS.ReadStream
      const print = (text: string) => (stdout += text)
      await runCommandLine(args, { env: environmentOf(service), stdin, print, say: () => undefined })
      return stdout
    }
    expect(await run('doctor')).toMatch(/MISSING {2}deletes: Nothing is deleted from the bucket[^]*accept-bucket/)
    expect(await run('fsck')).toMatch(/VIOLATION {2}BUCKET .*objected to all deletes/)
    expect(await run('sweep', 'reconcile')).toMatch(/deleted 0 .*objected to all deletes/)
  })
})

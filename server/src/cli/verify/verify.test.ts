import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Furnished, openWorkbench, type Workbench } from '../../domain/fsck/testing/workbench.ts'
import { commandsIn } from '../testing/command.ts'
import { environmentOf } from '../testing/environmentOf.ts'
import {
  alive,
  cheap,
  databases,
  doubt,
  due,
  halves,
  history,
  idle,
  inUse,
  locks,
  pages,
  promises,
  purge,
  readme,
  relations,
  schema,
  secrets,
  tenants,
  variables,
  restarts,
  patient,
  backup,
  whole,
} from './promises.ts'
import type { ProofState } from './proof.ts'

let bench: Workbench
let tenant: Furnished
let superuser: postgres.Sql
let folder: string
let run: ReturnType<typeof commandsIn>

beforeAll(async () => {
  bench = await openWorkbench({ keepsConstraints: true })
  superuser = postgres(bench.service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  folder = mkdtempSync(join(tmpdir(), 'filegraph-verify-'))
  run = commandsIn({ ...environmentOf(bench.service), FILEGRAPH_DATA_DIR: folder })
  await bench.furnish()
  tenant = await bench.furnish()
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await superuser.end()
  await bench.close()
})

interface Told {
  readonly promise: string
  readonly state: ProofState
  readonly answer: string
}

async function verify(...options: string[]) {
  const { code, stdout, stderr } = await run('verify', '--json', ...options)
  const told = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Told)
  return { code, stderr, told, of: (promise: string) => told.find((one) => one.promise === promise) }
}

const isBroken = async (promise: string) => {
  const { code, of } = await verify()
  expect({ code, ...of(promise) }).toMatchObject({ code: 1, state: 'BROKEN' })
  return of(promise)?.answer
}

/** Changes the database for as long as `work` takes. */
async function during<T>(change: string, back: string, work: () => Promise<T>): Promise<T> {
  await superuser.unsafe(change)
  try {
    return await work()
  } finally {
    await superuser.unsafe(back)
  }
}

const unprovable: readonly string[] = [
  relations,
  halves,
  pages,
  idle,
  due,
  alive,
  locks,
  databases,
  restarts,
  patient,
  backup,
  whole,
  cheap,
  variables,
  readme,
  secrets,
]

describe('verify', () => {
  it('checks every promise of ARCHITECTURE.md, by its name', () => {
    const text = readFileSync(new URL('../../../../ARCHITECTURE.md', import.meta.url), 'utf8')
    const [, table = ''] = /## Promises and what holds them\n\n\|.*\n\|.*\n((?:\|.*\n)+)/.exec(text) ?? []
    const told = table
      .trimEnd()
      .split('\n')
      .map((line) => line.split('|')[1]?.trim())
    expect(promises.map(({ promise }) => promise)).toEqual(told)
  })

  it('proves what a running system can show, and gives the reason for the rest', async () => {
    const { code, stderr, told } = await verify()
    const states = Object.fromEntries(told.map(({ promise, state }) => [promise, state]))
    const expected = promises.map(({ promise }) => [promise, unprovable.includes(promise) ? 'UNPROVEN' : 'OK'])
    expect({ code, stderr, states }).toEqual({ code: 0, stderr: '', states: Object.fromEntries(expected) })
  })

  it('prints for each promise what it did, the answer, and the commands to check it by hand', async () => {
    const { stdout } = await run('verify', '--skip-fsck')
    const byHand = promises.flatMap((one) => one.byHand)
    for (const { command } of byHand) expect(stdout).toContain(`          $ ${command}\n          = `)
    const lines = byHand.reduce((sum, { expected }) => sum + 1 + expected.split('\n').length, 3 * promises.length)
    expect(stdout.trimEnd().split('\n')).toHaveLength(lines)
    expect(stdout).toMatch(
      /^ok {8}One tenant never sees another's rows\n {10}set_tenant\(.*\n {10}row-level security is forced/,
    )
    expect(stdout).toContain('fsck was left out')
  })

  it('changes nothing', async () => {
    const before = await snapshot()
    await verify()
    expect(await snapshot()).toEqual(before)
  })
})

/** Every row of every table, and every object. */
async function snapshot() {
  const tables = await superuser<{ name: string }[]>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'filegraph'::regnamespace order by 1`
  const rows: Record<string, unknown> = {}
  for (const { name } of tables) {
    const [row] = await superuser.unsafe(`select md5(string_agg(t::text, '|' order by t::text)) as all from ${name} t`)
    rows[name] = row?.['all']
  }
  const { objects } = await bench.service.blobs.list({ prefix: '' })
  return { rows, objects }
}

describe('a promise is broken', () => {
  it('if row-level security is not forced on a table', async () => {
    const answer = await during(
      'alter table files no force row level security',
      'alter table files force row level security',
      () => isBroken(tenants),
    )
    expect(answer).toMatch(/^row-level security is not forced on files;/)
  })

  it('if a second policy shows rows of other tenants', async () => {
    const answer = await during('create policy leak on files using (true)', 'drop policy leak on files', () =>
      isBroken(tenants),
    )
    expect(answer).toMatch(/^as t-\w+, rows of others are seen in files;/)
  })

  it('if the role of the application bypasses row-level security', async () => {
    const answer = await during(
      'create table stray (id int); alter table stray owner to filegraph_app',
      'drop table stray',
      () => isBroken(tenants),
    )
    expect(answer).toMatch(/^filegraph_app owns tables/)
  })

  it('if an index is invalid, or a constraint was never checked', async () => {
    const answer = await during(
      'create table loose (tenant_id uuid, n int); create index loose_n on loose (n); alter table loose add constraint loose_positive check (n > 0) not valid',
      'drop table loose',
      () => isBroken(schema),
    )
    expect(answer).toMatch(
      /^constraints that are not validated: loose_positive; indexes that do not begin .*: loose_n;/,
    )
  })

  it('if a trigger of history is disabled', async () => {
    const answer = await during(
      'alter table audit_log disable trigger audit_log_written_once',
      'alter table audit_log enable trigger audit_log_written_once',
      () => isBroken(history),
    )
    expect(answer).toMatch(/^no trigger audit_log_written_once stands;/)
  })

  it('if the application can rewrite history, and the attempt is rolled back', async () => {
    const before = await snapshot()
    const answer = await during(
      'alter table audit_log disable trigger audit_log_written_once; grant update on audit_log to filegraph_app',
      'alter table audit_log enable trigger audit_log_written_once; revoke update on audit_log from filegraph_app',
      () => isBroken(history),
    )
    expect(answer).toContain('accepted, and taken back: update audit_log')
    expect(await snapshot()).toEqual(before)
  })

  it('if the tables allow an attached file in the trash, and the attempt is rolled back', async () => {
    const before = await snapshot()
    const check = 'check (soft_deleted_at is null or attachment_count = 0)'
    const answer = await during(
      'alter table files drop constraint files_in_use_not_deleted',
      `alter table files add constraint files_in_use_not_deleted ${check}`,
      () => isBroken(inUse),
    )
    expect(answer).toMatch(
      /^no constraint files_in_use_not_deleted; an attempt to delete a file that is attached .* was accepted/,
    )
    expect(await snapshot()).toEqual(before)
  })

  it('if bytes were deleted that had not been released', async () => {
    await bench.plant(
      `insert into events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
       values ('${tenant.id}', gen_random_uuid(), -(random() * 1e15)::bigint, 'blob.purged', 'blob', gen_random_uuid(), '{}', now())`,
    )
    expect(await isBroken(purge)).toMatch(/^the bytes of blob .* were deleted without having been released;/)
    await bench.plant(`delete from events where tenant_id = '${tenant.id}' and type = 'blob.purged'`)
  })

  it('if fsck finds a violation of it', async () => {
    await bench.plant(`update files set attachment_count = 2 where id = '${tenant.attached}'`)
    expect(await isBroken(inUse)).toMatch(/^fsck finds 1 violations, such as: .*attached\.txt/)
    expect((await verify('--skip-fsck')).code).toBe(0)
    await bench.plant(`update files set attachment_count = 1 where id = '${tenant.attached}'`)
  })

  it('if a log contains a secret, which is not printed', async () => {
    mkdirSync(join(folder, 'logs'))
    writeFileSync(join(folder, 'logs', 'filegraph.log'), '{"msg":"all is well"}\n')
    expect((await verify()).of(secrets)).toMatchObject({
      state: 'OK',
      answer: expect.stringMatching(/^1 lines of .* hold none$/),
    })
    const key = `fgk_${'a'.repeat(40)}`
    writeFileSync(join(folder, 'logs', 'filegraph.log.1'), `{"key":"${key}"}\n{"s":"test-secret-test-secret"}\n`)
    const answer = await isBroken(secrets)
    expect(answer).toMatch(/^2 of 3 lines of .* hold one$/)
    expect(answer).not.toContain(key)
    rmSync(join(folder, 'logs'), { recursive: true })
  })
})

describe('a promise is unproven', () => {
  it('if the bucket does not answer, and the exit code is 1', async () => {
    await bench.service.bucket.stop()
    const { code, of } = await verify()
    await bench.service.bucket.start()
    expect(code).toBe(1)
    expect(of(doubt)).toMatchObject({ state: 'UNPROVEN', answer: expect.stringContaining('The bucket cannot be used') })
    expect(of(tenants)?.state).toBe('OK')
  })

  it('if there is no tenant to test it on', async () => {
    const empty = await openWorkbench({ keepsConstraints: true })
    try {
      const { code, stdout } = await commandsIn({ ...environmentOf(empty.service), FILEGRAPH_DATA_DIR: folder })(
        'verify',
        '--json',
      )
      const states = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Told)
      expect(code).toBe(0)
      const unproven = states.filter(({ state }) => state === 'UNPROVEN').map(({ promise }) => promise)
      expect(unproven).toEqual(expect.arrayContaining([tenants, history, inUse, doubt]))
    } finally {
      await empty.close()
    }
  })
})

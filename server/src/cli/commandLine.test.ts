import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../test/testDatabase.ts'
import { openTenantDatabase, type TenantDatabase } from '../database/tenantDatabase.ts'
import { authenticateApiKey } from '../domain/identity/authenticate/apiKey.ts'
import { KeyUse } from '../domain/identity/authenticate/keyUse.ts'
import { signIn } from '../domain/identity/people/signIn.ts'
import { commandsIn } from './testing/command.ts'

const nowhere = {
  S3_ENDPOINT: 'http://127.0.0.1:59999',
  S3_BUCKET: 'files',
  S3_ACCESS_KEY_ID: 'key',
  S3_SECRET_ACCESS_KEY: 'secret',
}

let db: TestDatabase
let database: TenantDatabase
let run: ReturnType<typeof commandsIn>

const envOf = (one: { url: string; superuserUrl: string }) => ({
  ...nowhere,
  DATABASE_URL: one.url,
  DATABASE_MIGRATION_URL: one.superuserUrl,
})

beforeAll(async () => {
  db = await createTestDatabase()
  database = openTenantDatabase({ url: db.url, size: 2, applicationName: 'command test' })
  run = commandsIn(envOf(db))
  expect(await run('tenant', 'create', 'acme', '--name', 'Acme')).toMatchObject({ code: 0 })
})

afterAll(async () => {
  await database.close()
  await db.drop()
})

const now = () => new Date()
const member = ['user', 'create', '--tenant', 'acme', '--name', 'Ada', '--role', 'MEMBER', '--email']
const canSignIn = (email: string, password: string) =>
  signIn({ database, now, lifetimeSeconds: 60 }, { email, password, address: null, device: null }).then(
    () => true,
    () => false,
  )

describe('the command line', () => {
  it.each([
    [],
    ['start'],
    ['api'],
    ['worker'],
    ['migrate'],
    ['tenant'],
    ['tenant', 'create'],
    ['tenant', 'list'],
    ['tenant', 'update'],
    ['user', 'create'],
    ['user', 'list'],
    ['user', 'set-role'],
    ['user', 'remove'],
    ['user', 'set-password'],
    ['key', 'create'],
    ['key', 'list'],
    ['key', 'revoke'],
    ['doctor'],
    ['cors', 'apply'],
    ['fsck'],
    ['verify'],
    ['sweep'],
    ['accept-bucket'],
  ])('prints help: %s %s', async (...command) => {
    const { code, stdout, stderr } = await run(...command.filter(Boolean), '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Usage: filegraph')
    const isGroup = ['tenant', 'user', 'key', 'cors'].includes(command.join(' '))
    if (!isGroup) expect(stdout).toContain('npm run -s filegraph -- ')
  })

  it('lists every choice of a sweep and of accept-bucket', async () => {
    const sweep = (await run('sweep', '--help')).stdout
    for (const option of ['--dry-run', '--before', '--exceed-brake', '--delete-foreign', '--tenant', '--json']) {
      expect(sweep).toContain(option)
    }
    const accept = (await run('accept-bucket', '--help')).stdout
    for (const option of ['--keep <side>', '"this", "other"', '--yes', '--show', '--json'])
      expect(accept).toContain(option)
  })

  it.each([
    ['an unknown command', ['sing']],
    ['an unknown option', ['tenant', 'list', '--loud']],
    ['a missing option', ['key', 'create', '--tenant', 'acme']],
    ['a role that does not exist', [...member, 'a@b.example', '--role', 'BOSS']],
    ['a quota that is neither a size nor none', ['tenant', 'update', 'acme', '--quota-bytes', 'default']],
    ['a size that is not a number', ['tenant', 'create', 'x1', '--name', 'X', '--quota-bytes', 'much']],
    ['no command', []],
  ])('exits with 2 for %s, and prints no result', async (_, args) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(stderr).not.toBe('')
  })

  it.each([
    ['a refusal', ['tenant', 'create', 'acme', '--name', 'Again'], 'There is a tenant with this slug already.\n'],
    ['a tenant that is not there', ['key', 'list', '--tenant', 'nope'], /^There is no tenant "nope"\..*\n$/],
    ['an update of nothing', ['tenant', 'update', 'acme'], /^There is nothing to change\..*\n$/],
    [
      'a member that is not there',
      ['user', 'remove', '--tenant', 'acme', '--email', 'x@y.example'],
      'There is no such member.\n',
    ],
    ['a key that is not there', ['key', 'revoke', 'x', '--tenant', 'acme'], 'There is no such API key.\n'],
    ['a weak password', [...member, 'w@b.example', '--password', '1'], /^The password needs .*\n$/],
  ])('exits with 1 and one sentence for %s', async (_, args, sentence) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(sentence)
  })

  it('reports in one line that the database does not answer', async () => {
    const away = commandsIn({ ...nowhere, DATABASE_URL: 'postgres://someone:hidden@127.0.0.1:9/none' })
    const { code, stdout, stderr } = await away('tenant', 'list')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^The database \(DATABASE_URL\) cannot be used: nothing listens at its address \(.*\n$/)
    expect(stderr).not.toContain('hidden')
  })

  it('reports each problem of the configuration on its own line', async () => {
    const { code, stderr } = await commandsIn({ PORT: 'many', S3_BUCKET: 'b' })('tenant', 'list')
    expect(code).toBe(1)
    expect(stderr.split('\n').filter(Boolean).length).toBe(4)
    expect(stderr).toContain('PORT has to be a whole number')
  })
})

describe('tenants', () => {
  it('are created with a policy and listed', async () => {
    const policy = ['--quota-bytes', '50GB', '--max-file-bytes', '2GiB', '--trash-days', '7', '--intent-lifetime', '2h']
    const types = ['--allow-type', 'image/', '--allow-type', 'Application/PDF']
    const made = await run('tenant', 'create', 'press', '--name', 'Press', ...policy, ...types, '--json')
    expect(JSON.parse(made.stdout)).toMatchObject({ slug: 'press', name: 'Press' })
    const listed = JSON.parse((await run('tenant', 'list', '--json')).stdout) as Record<string, unknown>[]
    expect(listed.map(({ slug }) => slug)).toEqual(['acme', 'press'])
    expect(listed[1]?.['policy']).toMatchObject({
      quotaBytes: 50e9,
      maxFileBytes: 2 * 1024 ** 3,
      trashDays: 7,
      intentLifetimeSeconds: 7_200,
      allowedContentTypes: ['image/', 'application/pdf'],
    })
    expect((await run('tenant', 'list')).stdout).toMatch(/^SLUG .*\nacme .*Acme\npress .*50000000000 +Press\n$/)
  })
})

describe('tenant update', () => {
  const described = async (slug: string) => {
    const listed = JSON.parse((await run('tenant', 'list', '--json')).stdout) as Record<string, unknown>[]
    return listed.find((tenant) => tenant['slug'] === slug)
  }

  it('changes name, quota and policy, and keeps the rest', async () => {
    await run('tenant', 'create', 'updated', '--name', 'Before', '--trash-days', '7')
    const args = ['--name', 'After', '--quota-bytes', '1TiB', '--download-lifetime', '1h', '--allow-type', 'IMAGE/']
    expect(await run('tenant', 'update', 'updated', ...args)).toMatchObject({
      code: 0,
      stdout: 'Changed the tenant updated (After).\n',
    })
    expect(await described('updated')).toMatchObject({
      name: 'After',
      policy: { quotaBytes: 2 ** 40, downloadMaxSeconds: 3600, trashDays: 7, allowedContentTypes: ['image/'] },
      policyCeiling: { trashDays: 7, downloadMaxSeconds: 3600, allowedContentTypes: ['image/'] },
    })
  })

  it('resets values to their defaults', async () => {
    const args = ['--quota-bytes', 'none', '--trash-days', 'default', '--allow-type', 'default']
    expect(await run('tenant', 'update', 'updated', ...args)).toMatchObject({ code: 0, stderr: '' })
    expect(await described('updated')).toMatchObject({
      name: 'After',
      policy: { quotaBytes: null, downloadMaxSeconds: 3600, trashDays: 30, allowedContentTypes: null },
      policyCeiling: { downloadMaxSeconds: 3600 },
    })
  })
})

describe('a member', () => {
  const of = ['--tenant', 'acme', '--email', 'lena@acme.example']

  it('is listed, gets another role and another password, and is removed', async () => {
    await run(...member, 'lena@acme.example', '--password', 'the old password')
    expect(await run('user', 'set-role', ...of, '--role', 'admin')).toMatchObject({
      code: 0,
      stdout: 'lena@acme.example is now ADMIN of acme.\n',
    })
    expect((await run('user', 'list', '--tenant', 'acme')).stdout).toMatch(/^lena@acme\.example +ADMIN +\S+ +Ada$/m)

    const fromPipe = commandsIn(envOf(db), 'the new password\n')
    const { stdout } = await fromPipe('user', 'set-password', ...of, '--password-stdin')
    expect(stdout).toBe('lena@acme.example has a new password. All their sessions have ended.\n')
    expect(await canSignIn('lena@acme.example', 'the old password')).toBe(false)
    expect(await canSignIn('lena@acme.example', 'the new password')).toBe(true)

    expect(await run('user', 'remove', ...of)).toMatchObject({ code: 0, stderr: '' })
    const listed = JSON.parse((await run('user', 'list', '--tenant', 'acme', '--json')).stdout) as Record<
      string,
      unknown
    >[]
    expect(listed.map(({ email }) => email)).not.toContain('lena@acme.example')
  })
})

describe('users', () => {
  it('get a generated password, which is printed once', async () => {
    const { code, stdout } = await run(...member, 'made-up@acme.example')
    const [, password = ''] = /^Password: (\S{12,})$/m.exec(stdout) ?? []
    expect({ code, works: await canSignIn('made-up@acme.example', password) }).toEqual({ code: 0, works: true })
  })

  it('get the password from standard input, and it is not printed', async () => {
    const { stdout } = await commandsIn(envOf(db), 'from the pipe\nmore\n')(
      ...member,
      'piped@acme.example',
      '--password-stdin',
    )
    expect(stdout).not.toContain('from the')
    expect(await canSignIn('piped@acme.example', 'from the pipe')).toBe(true)
  })

  it('keep their password when they join another tenant', async () => {
    await run(...member, 'two@acme.example', '--password', 'the first one')
    await run('tenant', 'create', 'second', '--name', 'Second')
    const joined = await run(...member, 'two@acme.example', '--tenant', 'second', '--password', 'another one')
    expect(joined.stdout).toContain('keeps its name and password')
    expect(await canSignIn('two@acme.example', 'the first one')).toBe(true)
  })
})

describe('API keys', () => {
  const create = ['key', 'create', '--tenant', 'acme', '--name', 'backup', '--role', 'viewer']
  const keyUse = new KeyUse({} as TenantDatabase, now, () => undefined)
  keyUse.record = () => undefined
  const isAccepted = (key: string) =>
    authenticateApiKey({ database, now, keyUse }, key).then(
      ({ role }) => role === 'VIEWER',
      () => false,
    )

  it('are printed alone, so that a shell can capture them', async () => {
    const { code, stdout, stderr } = await run(...create)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^fgk_[\w-]+\n$/)
    expect(await isAccepted(stdout.trim())).toBe(true)
  })

  it('are listed without their secret, and can be revoked once', async () => {
    const made = JSON.parse((await run(...create, '--expires-in-days', '9', '--json')).stdout) as Record<string, string>
    const { id = '', key = '', expiresAt = '' } = made
    expect(Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000)).toBe(9)
    const listed = await run('key', 'list', '--tenant', 'acme')
    expect(listed.stdout).toContain(id)
    expect(listed.stdout).not.toContain('fgk_')
    for (const _ of ['first', 'again']) {
      expect(await run('key', 'revoke', id, '--tenant', 'acme')).toMatchObject({ code: 0, stderr: '' })
    }
    expect(await isAccepted(key)).toBe(false)
    expect((await run('key', 'list', '--tenant', 'acme')).stdout).toMatch(new RegExp(`${id} +VIEWER +revoked`))
  })
})

describe('migrate and doctor', () => {
  it('bring an empty database up to date, and report what is missing before and after', async () => {
    const empty = await createEmptyDatabase()
    try {
      const onEmpty = commandsIn(envOf(empty))
      expect(await onEmpty('tenant', 'list')).toMatchObject({ code: 1, stderr: expect.stringContaining('migrate') })
      const before = await onEmpty('doctor')
      expect(before).toMatchObject({ code: 1, stderr: expect.stringMatching(/^\d of \d+ checks .*\n$/) })
      expect(before.stdout).toMatch(/MISSING {2}migrations: .*\n +Run: npm run -s filegraph -- migrate/)
      for (const _ of ['first', 'again']) expect(await onEmpty('migrate')).toMatchObject({ code: 0, stderr: '' })
      expect(await onEmpty('tenant', 'list', '--json')).toMatchObject({ code: 0, stdout: '[]\n' })
      const after = JSON.parse((await onEmpty('doctor', '--json')).stdout) as { name: string; state: string }[]
      const lacking = after.filter(({ state }) => state !== 'ok').map(({ name }) => name)
      expect(lacking).toEqual(['bucket: reachable'])
    } finally {
      await empty.drop()
    }
  })
})

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEmptyDatabase } from '../../test/testDatabase.ts'
import { startTestBucket, type TestBucket } from '../../test/testBucket.ts'
import { uploadFile } from '../../test/testService.ts'
import { migrate } from '../database/migrate.ts'
import { type Furnished, openWorkbench, type Workbench } from '../domain/fsck/testing/workbench.ts'
import { createS3BlobStore } from '../storage/s3/s3BlobStore.ts'
import { commandsIn } from './testing/command.ts'
import { environmentOf } from './testing/environmentOf.ts'

let bench: Workbench
let furnished: Furnished
let run: ReturnType<typeof commandsIn>
let folder: string
const open: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  bench = await openWorkbench()
  run = commandsIn(environmentOf(bench.service))
  furnished = await bench.furnish()
  await bench.furnish()
  await rowsIn(
    bench.service.testDatabase.superuserUrl,
    String.raw`insert into orphan_objects select '${furnished.id}', 'org/${furnished.id}/' || n || E'\t\\\n\r\\N Ä', n, '', now(),
      '${furnished.id}' from generate_series(1, 20000) n`,
  )
  folder = mkdtempSync(join(tmpdir(), 'filegraph-backup-'))
})

afterAll(async () => {
  for (const close of open.reverse()) await close()
  await bench.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Target {
  readonly env: Record<string, string>
  readonly run: ReturnType<typeof commandsIn>
  readonly bucket: TestBucket
  readonly database: Awaited<ReturnType<typeof createEmptyDatabase>>
}

/** An empty database and an empty bucket. */
async function openTarget(): Promise<Target> {
  const database = await createEmptyDatabase()
  open.push(() => database.drop())
  const bucket = await startTestBucket(() => new Date())
  open.push(() => bucket.close())
  const env = {
    ...environmentOf(bench.service),
    DATABASE_URL: database.url,
    DATABASE_MIGRATION_URL: database.superuserUrl,
    S3_ENDPOINT: bucket.options.endpoint,
    S3_BUCKET: bucket.options.bucket,
    S3_ACCESS_KEY_ID: bucket.options.accessKeyId,
    S3_SECRET_ACCESS_KEY: bucket.options.secretAccessKey,
  }
  return { env, run: commandsIn(env), bucket, database }
}

const summary = (text: string) => JSON.parse(text) as { backup: string; copied: { count: number; bytes: number } }

async function rowsIn(url: string, query: string) {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, connection: { search_path: 'filegraph' } })
  try {
    return [...(await sql.unsafe(query))]
  } finally {
    await sql.end()
  }
}

const tables = [
  'orphan_objects',
  'tenants',
  'users',
  'files',
  'file_versions',
  'blobs',
  'events',
  'audit_log',
  'attachments',
  'tenant_usage',
]

const contentOf = (url: string) =>
  Promise.all(tables.map((table) => rowsIn(url, `select t::text from ${table} t order by 1`)))

describe('backup', () => {
  it('copies all bytes once, and then only new ones', async () => {
    const first = await run('backup', folder, '--json')
    expect(first).toMatchObject({ code: 0 })
    const { copied } = summary(first.stdout)
    expect(copied.count).toBeGreaterThan(5)
    expect(summary((await run('backup', folder, '--json')).stdout).copied).toEqual({ count: 0, bytes: 0 })
    await uploadFile(bench.service, furnished.ctx.principal, { content: 'new bytes' })
    expect(summary((await run('backup', folder, '--json')).stdout).copied).toEqual({ count: 1, bytes: 9 })
  })

  it('keeps the folder private, and verifies what is in it', async () => {
    const backup = readdirSync(folder).find((name) => name !== 'objects') ?? ''
    expect(statSync(join(folder, backup)).mode & 0o77).toBe(0)
    expect(statSync(join(folder, backup, 'manifest.json')).mode & 0o77).toBe(0)
    expect(await run('backup', folder, '--verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Verified \d{8}T\d{6}Z-\w{6}, the state of .*: 2 tenants, /),
    })
  })

  it('refuses if row-level security would hide rows, and if there is no tenant', async () => {
    await rowsIn(bench.service.testDatabase.superuserUrl, 'drop policy read_for_backup on files')
    expect(await run('backup', folder)).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('cannot read every row of files. Run: '),
    })
    expect(await run('migrate')).toMatchObject({ code: 0 })
    expect(await run('backup', folder)).toMatchObject({ code: 0 })
    const empty = await openTarget()
    expect(await empty.run('migrate')).toMatchObject({ code: 0 })
    expect(await empty.run('backup', join(folder, 'empty'))).toMatchObject({
      code: 1,
      stderr: 'The database has no tenant. An empty backup is not written.\n',
    })
  })
})

describe('the migration login', () => {
  it('sees every row, so that pg_dump --enable-row-security cannot end without an error and without rows', async () => {
    const { database } = await openTarget()
    const { hostname, port, pathname } = new URL(database.superuserUrl)
    const owner = `owner_${randomBytes(4).toString('hex')}`
    await rowsIn(database.superuserUrl, `create role ${owner} login createrole password 'test'`)
    // After its database.
    open.unshift(() => rowsIn(bench.service.testDatabase.superuserUrl, `drop role ${owner}`))
    await rowsIn(database.superuserUrl, `grant create on database ${pathname.slice(1)} to ${owner}`)
    // Another login has created the roles of this cluster, so only an administrator can grant them.
    const roles = ['app', 'functions', 'schedule', 'backup'].map((name) => `filegraph_${name}`).join(', ')
    await rowsIn(database.superuserUrl, `grant ${roles} to ${owner}`)
    const url = `postgres://${owner}:test@${hostname}:${port}${pathname}`
    await migrate(url)
    await rowsIn(
      database.superuserUrl,
      `insert into tenants (id, slug, name, max_file_bytes, trash_days, intent_lifetime_seconds, download_max_seconds, created_at)
        values (gen_random_uuid(), 'acme', 'Acme', 1, 1, 1, 1, now())`,
    )
    expect(await rowsIn(url, 'select slug from tenants')).toEqual([{ slug: 'acme' }])
  })
})

describe('restore', () => {
  it('brings back every row and byte, and fsck finds nothing', async () => {
    const target = await openTarget()
    await run('backup', folder)
    expect(await target.run('restore', folder)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Restored .*: 2 tenants, /),
    })
    expect(await contentOf(target.database.superuserUrl)).toEqual(
      await contentOf(bench.service.testDatabase.superuserUrl),
    )
    expect(await target.run('fsck', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"violations":0'),
    })
    const { key } = await furnished.blobOf(furnished.kept)
    const restored = createS3BlobStore(target.bucket.options)
    expect(await restored.readStart(key, 1_000)).toEqual(await bench.service.blobs.readStart(key, 1_000))
    restored.close()
  })

  it('forces row-level security and fires triggers again', async () => {
    const target = await openTarget()
    await target.run('restore', folder)
    const guards = `select relname, relrowsecurity, relforcerowsecurity, array(select tgname || tgenabled::text from pg_trigger
      where tgrelid = c.oid and not tgisinternal order by 1) as triggers from pg_class c
      where relkind = 'r' and relnamespace = 'filegraph'::regnamespace order by 1`
    expect(await rowsIn(target.database.superuserUrl, guards)).toEqual(
      await rowsIn(bench.service.testDatabase.superuserUrl, guards),
    )
  })

  it('refuses a database that is not empty, and a bucket that is not', async () => {
    const target = await openTarget()
    expect(await target.run('restore', folder)).toMatchObject({ code: 0 })
    expect(await target.run('restore', folder)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The database is not empty: the table \w+ has rows\./),
    })
    const other = await openTarget()
    const S3_ENDPOINT = target.env['S3_ENDPOINT'] ?? ''
    expect(await commandsIn({ ...other.env, S3_ENDPOINT })('restore', folder)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The bucket is not empty: it has org\//),
    })
  })

  it('changes neither rows nor deletes anything while a file of the backup is damaged, and continues once it is mended', async () => {
    const target = await openTarget()
    const { key } = await furnished.blobOf(furnished.kept)
    const [, tenant = '', name = ''] = /^org\/(.*)\/files\/(.*)$/.exec(key) ?? []
    const shard = name.replace(/\..*/, '').slice(-2)
    const path = join(folder, 'objects', tenant, shard, name)
    const bytes = readFileSync(path)
    writeFileSync(path, Buffer.alloc(bytes.length))
    const damaged = { code: 1, stdout: '', stderr: `The bytes of ${key} in the backup are damaged.\n` }
    expect(await run('backup', folder, '--verify')).toEqual(damaged)
    expect(await target.run('restore', folder)).toEqual(damaged)
    expect(await rowsIn(target.database.superuserUrl, `select to_regclass('filegraph.files') as files`)).toEqual([
      { files: null },
    ])
    expect(await target.run('migrate')).toMatchObject({ code: 0 })
    expect(await target.run('fsck')).toMatchObject({ code: 1, stdout: expect.stringContaining('has not finished') })
    writeFileSync(path, bytes)
    expect(await target.run('restore', folder)).toMatchObject({ code: 0 })
    expect(await target.run('fsck')).toMatchObject({ code: 0 })
  })

  it('refuses a folder without a whole backup', async () => {
    const target = await openTarget()
    expect(await target.run('restore', join(folder, 'objects'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has no whole backup'),
    })
  })
})

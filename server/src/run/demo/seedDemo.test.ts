import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/testDatabase.ts'
import { openTenantDatabase, type TenantDatabase } from '../../database/tenantDatabase.ts'
import { createTenant } from '../../domain/tenants/createTenant.ts'
import { type LocalBucket, startLocalBucket } from '../../embedded/bucket/startLocalBucket.ts'
import type { BlobStore } from '../../storage/blobStore.ts'
import { createS3BlobStore } from '../../storage/s3/s3BlobStore.ts'
import { seedDemo } from './seedDemo.ts'

const access = { bucket: 'demo', region: 'local', accessKeyId: 'key', secretAccessKey: 'secret' }
const now = () => new Date()

let directory: string
let bucket: LocalBucket
let blobs: BlobStore
let db: TestDatabase
let database: TenantDatabase
let sql: postgres.Sql
const closing: (() => unknown)[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'filegraph-demo-'))
  bucket = await startLocalBucket({ directory, ...access })
  blobs = createS3BlobStore({ endpoint: bucket.endpoint, forcePathStyle: true, ...access })
})

afterAll(async () => {
  for (const close of closing.toReversed()) await close()
  blobs.close()
  await bucket.close()
  rmSync(directory, { recursive: true, force: true })
})

beforeEach(async () => {
  const mine = (db = await createTestDatabase())
  const open = (database = openTenantDatabase({ url: db.url, size: 3, applicationName: 'demo test' }))
  const client = (sql = postgres(db.superuserUrl, { max: 1, onnotice: () => undefined }))
  closing.push(
    () => mine.drop(),
    () => open.close(),
    () => client.end(),
  )
})

/** Everything of the demo that people see, without ids and times. */
async function everything(): Promise<unknown> {
  return {
    tenants: await sql`select slug, name from tenants order by slug`,
    members: await sql`select t.slug, u.email, m.role from memberships m
      join tenants t on t.id = m.tenant_id join users u on u.id = m.user_id order by 1, 2`,
    files: await sql`select t.slug, f.original_file_name, f.content_type, f.byte_size, f.current_version,
        f.soft_deleted_at is not null as trashed, p.name as uploader
      from files f join tenants t on t.id = f.tenant_id
      join principals p on p.tenant_id = f.tenant_id and p.id = f.uploaded_by order by 1, 2`,
    usage: await sql`select t.slug, u.file_count, u.trashed_count, u.version_count, u.stored_bytes, u.reserved_bytes
      from tenant_usage u join tenants t on t.id = u.tenant_id order by 1`,
    audit: await sql`select t.slug, a.action, count(*)::int from audit_log a
      join tenants t on t.id = a.tenant_id group by 1, 2 order by 1, 2`,
  }
}

/** Lets so many transactions through; every one after that fails, as in a process that died. */
function dyingAfter(writes: number): TenantDatabase {
  let left = writes
  return {
    ...database,
    write: (tenantId, work) => {
      left -= 1
      return left < 0 ? Promise.reject(new Error('died')) : database.write(tenantId, work)
    },
  }
}

describe('the demo', () => {
  it('has several types, a second version, a file in the trash, and several people', async () => {
    const begun = Date.now()
    expect(await seedDemo({ database, blobs, now })).toBe(true)
    expect(Date.now() - begun).toBeLessThan(10_000)
    const types = await sql`select distinct content_type from files`
    expect(types.length).toBeGreaterThanOrEqual(8)
    expect(await sql`select from files where current_version = 2`).toHaveLength(1)
    expect(await sql`select from files where soft_deleted_at is not null`).toHaveLength(1)
    expect(await sql`select from files where original_file_name = ${'مرحبا 你好 🎉.txt'}`).toHaveLength(1)
    const people = await sql`select distinct p.kind, p.name from audit_log a
      join principals p on p.tenant_id = a.tenant_id and p.id = a.actor_id where p.kind = 'USER'`
    expect(people.length).toBeGreaterThanOrEqual(4)
    expect(await sql`select from uploads where state <> 'COMMITTED'`).toHaveLength(0)
  })

  it('is the same after a second start, and after starts that crashed anywhere', async () => {
    await seedDemo({ database, blobs, now })
    const whole = await everything()
    expect(await seedDemo({ database, blobs, now })).toBe(true)
    expect(await everything()).toEqual(whole)

    const other = await createTestDatabase()
    closing.push(() => other.drop())
    await database.close()
    await sql.end()
    database = openTenantDatabase({ url: other.url, size: 3, applicationName: 'demo test' })
    sql = postgres(other.superuserUrl, { max: 1, onnotice: () => undefined })
    const [again, client] = [database, sql]
    closing.push(
      () => again.close(),
      () => client.end(),
    )
    for (const writes of [0, 1, 1, 2, 5, 3, 9]) {
      await expect(seedDemo({ database: dyingAfter(writes), blobs, now })).rejects.toThrow('died')
    }
    expect(await seedDemo({ database, blobs, now })).toBe(true)
    expect(await everything()).toEqual(whole)
  })

  it('uploads a file again whose intent has expired since the crash', async () => {
    await expect(seedDemo({ database: dyingAfter(6), blobs, now })).rejects.toThrow('died')
    await sql`update uploads set expires_at = now() - interval '1 day' where state = 'PENDING'`
    expect(await seedDemo({ database, blobs, now })).toBe(true)
    expect((await sql`select from uploads where state = 'PENDING'`).length).toBe(1)
    expect(await sql`select from files`).toHaveLength(12)
  })

  it('is not created in an installation with tenants, even with the same names', async () => {
    await createTenant({ database, now }, { slug: 'acme', name: 'Acme Studio' })
    expect(await seedDemo({ database, blobs, now })).toBe(false)
    expect(await sql`select from users`).toHaveLength(0)
    expect(await sql`select slug from tenants`).toEqual([{ slug: 'acme' }])
  })

  it('adds no demo user to a tenant that only has the same slug', async () => {
    await expect(seedDemo({ database: dyingAfter(1), blobs, now })).rejects.toThrow('died')
    await createTenant({ database, now }, { slug: 'globex', name: 'Globex' })
    expect(await seedDemo({ database, blobs, now })).toBe(false)
    expect(await sql`select from memberships`).toHaveLength(0)
  })
})

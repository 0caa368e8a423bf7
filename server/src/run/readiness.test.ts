import { afterEach, describe, expect, it } from 'vitest'
import { createEmptyDatabase, createTestDatabase } from '../../test/testDatabase.ts'
import { migrate } from '../database/migrate.ts'
import { openTenantDatabase, type TenantDatabase } from '../database/tenantDatabase.ts'
import type { BlobStore } from '../storage/blobStore.ts'
import { readinessOf } from './readiness.ts'

const answering = { ping: async () => undefined } as unknown as BlobStore
const opened: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

function open(url: string): TenantDatabase {
  const database = openTenantDatabase({ url, size: 2, applicationName: 'readiness' })
  opened.push(() => database.close())
  return database
}

async function migratedDatabase(): Promise<TenantDatabase> {
  const { url, drop } = await createTestDatabase()
  opened.push(drop)
  return open(url)
}

describe('readiness', () => {
  it('is true when the database answers with every migration and the bucket answers', async () => {
    const database = await migratedDatabase()
    expect(await readinessOf({ database, blobs: answering })).toEqual({
      database: true,
      migrations: true,
      bucket: true,
      deletes: 'allowed',
    })
  })

  it('distinguishes a database that answers from one that is migrated', async () => {
    const { superuserUrl, drop } = await createEmptyDatabase()
    opened.push(drop)
    const before = await readinessOf({ database: open(superuserUrl), blobs: answering })
    expect(before).toMatchObject({ database: true, migrations: false })
    await migrate(superuserUrl)
    expect(await readinessOf({ database: open(superuserUrl), blobs: answering })).toMatchObject({ migrations: true })
  })

  it('is false for an unreachable database, and for a bucket that fails', async () => {
    const database = open('postgres://nobody@127.0.0.1:9/nothing')
    const failing = { ping: () => Promise.reject(new Error('403')) } as unknown as BlobStore
    expect(await readinessOf({ database, blobs: failing })).toEqual({
      database: false,
      migrations: false,
      bucket: false,
      deletes: 'unknown',
    })
  })

  it('does not wait for a bucket that does not answer', async () => {
    const database = await migratedDatabase()
    const silent = { ping: () => new Promise<void>(() => undefined) } as unknown as BlobStore
    const asked = Date.now()
    expect(await readinessOf({ database, blobs: silent })).toMatchObject({ database: true, bucket: false })
    expect(Date.now() - asked).toBeLessThan(4_000)
  })
})

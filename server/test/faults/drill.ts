import { randomBytes } from 'node:crypto'
import { cpSync, rmSync } from 'node:fs'
import postgres from 'postgres'
import { openTenantDatabase, type TenantDatabase } from '../../src/database/tenantDatabase.ts'
import { type Context, systemPrincipal } from '../../src/domain/context.ts'
import { type CleanupKind, type Outcome, recordRun, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { cleanupKindNames, sweepOf } from '../../src/jobs/sweeps.ts'
import type { BlobStore } from '../../src/storage/blobStore.ts'
import { createS3BlobStore } from '../../src/storage/s3/s3BlobStore.ts'
import { startTestBucket } from '../testBucket.ts'
import type { TestService } from '../testService.ts'

/** A database as it was at a moment, to be worked with beside the one that went on. */
export interface DatabaseCopy {
  readonly database: TenantDatabase
  readonly sql: postgres.Sql
  /** Of the application's login. */
  readonly url: string
  close(): Promise<void>
}

const named = (url: string, name: string): string => {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}

/** Copies the database of a service, whose idle connections it ends. The superuser's connection is to that database. */
export async function copyDatabase({ testDatabase }: TestService): Promise<DatabaseCopy> {
  const source = new URL(testDatabase.superuserUrl).pathname.slice(1)
  const name = `filegraph_copy_${randomBytes(6).toString('hex')}`
  const maintenance = postgres(named(testDatabase.superuserUrl, 'postgres'), { max: 1, onnotice: () => undefined })
  await maintenance`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = ${source}`
  await maintenance.unsafe(`create database ${name} template ${source}`)
  const url = named(testDatabase.url, name)
  const database = openTenantDatabase({ url, size: 4, applicationName: 'test' })
  const sql = postgres(named(testDatabase.superuserUrl, name), { max: 1, onnotice: () => undefined })
  return {
    database,
    sql,
    url,
    close: async () => {
      await database.close()
      await sql.end()
      await maintenance.unsafe(`drop database ${name} with (force)`)
      await maintenance.end()
    },
  }
}

/** A bucket elsewhere, empty or with what lies in that of the service now. */
export async function openOtherBucket(service: TestService, what: 'empty' | 'copy') {
  const bucket = await startTestBucket(service.now)
  if (what === 'copy') await putBack(bucket, service.bucket.folder)
  const blobs = createS3BlobStore(bucket.options)
  return {
    blobs,
    folder: bucket.folder,
    close: async () => {
      blobs.close()
      await bucket.close()
    },
  }
}

/** Gives a bucket what lies in a folder, and nothing else. */
export async function putBack(
  bucket: { readonly folder: string; stop(): Promise<void>; start(): Promise<void> },
  folder: string,
): Promise<void> {
  await bucket.stop()
  rmSync(bucket.folder, { recursive: true })
  cpSync(folder, bucket.folder, { recursive: true })
  await bucket.start()
}

/** Every key of tenants with what identifies its content, in order. */
export const listTenantObjects = async (blobs: BlobStore): Promise<string[]> =>
  (await listAll(blobs)).filter((line) => line.startsWith('org/'))

export const listVetoes = async (blobs: BlobStore): Promise<string[]> =>
  (await blobs.list({ prefix: 'filegraph/veto/' })).objects.map(({ key }) => key)

/** Every key with what identifies its content, in order. */
export async function listAll(blobs: BlobStore): Promise<string[]> {
  const { objects } = await blobs.list({ prefix: '' })
  return objects.map(({ key, etag, byteSize }) => `${key} ${etag} ${byteSize}`)
}

export type Parts = Pick<Context, 'database' | 'blobs' | 'now'>

export function sweepWith(service: TestService, parts: Parts, tenantId: string, kind: CleanupKind): Promise<Outcome> {
  const { database, blobs } = parts
  const ctx = { ...service.contextOf(systemPrincipal(tenantId)), database, blobs, settings: service.cleanup }
  return recordRun(ctx, kind, { ...usualRun, exceedsBrake: true }, sweepOf(kind).sweep)
}

/** Makes every kind of run, and answers with why each was refused; null for one that was not. */
export async function sweepEverything(
  service: TestService,
  parts: Parts,
  tenantId: string,
): Promise<Partial<Record<CleanupKind, string | null>>> {
  const ended: Partial<Record<CleanupKind, string | null>> = {}
  for (const kind of cleanupKindNames) {
    ended[kind] = (await sweepWith(service, parts, tenantId, kind)).ended
  }
  return ended
}

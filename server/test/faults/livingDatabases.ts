import { and, eq, isNotNull, isNull } from 'drizzle-orm'
import { expect } from 'vitest'
import { blobs, files, fileVersions } from '../../src/database/tables/fileTables.ts'
import type { Principal } from '../../src/domain/context.ts'
import { deleteFile, restoreFile } from '../../src/domain/files/changeFile.ts'
import { advanceMarker } from '../../src/domain/installation/bucketMarker.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import { commitUpload } from '../../src/domain/uploads/commitUpload.ts'
import { createUploadIntent, signUpload } from '../../src/domain/uploads/intents/createUploadIntent.ts'
import { sendBytes, startTestService, type TestService, type TestTenant } from '../testService.ts'
import { copyDatabase, type DatabaseCopy, type Parts, sweepWith } from './drill.ts'

/**
 * How a database was copied. DUMP: restored from a dump, so that Postgres itself tells the difference. DISK: a copy of the
 * disk, which has every row and every identifier of the original and runs in another server process.
 */
export type CopiedBy = 'DUMP' | 'DISK'

/** A database with a Filegraph on it, on the one bucket of the service. */
export interface LivingDatabase {
  readonly name: string
  readonly parts: Parts
  upload(): Promise<string>
  trash(fileId: string): Promise<unknown>
  restore(fileId: string): Promise<unknown>
  purge(fileId: string): Promise<unknown>
  /** What happens once a minute and at each start. Returns why it was refused; null: it was not. */
  look(): Promise<string | null>
  /** Makes every sweep that can delete. Returns how many objects went. */
  sweep(): Promise<number>
  /** Live files, whose bytes have to be there. */
  liveFiles(): Promise<{ readonly fileId: string; readonly key: string }[]>
  trashedFiles(): Promise<string[]>
}

export const productionOf = (service: TestService, tenant: TestTenant): LivingDatabase =>
  living('production', service, tenant, { database: service.database, blobs: service.blobs, now: service.now })

export async function cloneOf(
  service: TestService,
  tenant: TestTenant,
  by: CopiedBy,
): Promise<{ clone: LivingDatabase; copy: DatabaseCopy }> {
  const copy = await copyDatabase(service)
  if (by === 'DISK') {
    // Postgres gives a copy within one server another oid and the same start: here it is the other way round.
    await copy.sql`update installation set server_started_at = 'before the copy',
      database_oid = (select oid::bigint from pg_database where datname = current_database())`
  }
  const parts = { database: copy.database, blobs: service.blobs, now: service.now }
  return { clone: living(`a ${by.toLowerCase()} copy`, service, tenant, parts), copy }
}

function living(name: string, service: TestService, tenant: TestTenant, parts: Parts): LivingDatabase {
  const contextOf = (who: Principal) => ({ ...service.contextOf(who), ...parts })
  const read = async (trashed: boolean) => {
    const rows = await parts.database.read(tenant.id, (tx) =>
      tx.db
        .select({ fileId: files.id, key: blobs.objectKey })
        .from(files)
        .innerJoin(fileVersions, and(tx.inTenant(fileVersions), eq(fileVersions.fileId, files.id)))
        .innerJoin(blobs, and(tx.inTenant(blobs), eq(blobs.id, fileVersions.blobId)))
        .where(and(tx.inTenant(files), isNull(files.purgedAt), (trashed ? isNotNull : isNull)(files.softDeletedAt))),
    )
    return rows
  }
  return {
    name,
    parts,
    upload: async () => {
      const ctx = contextOf(tenant.member)
      const content = `bytes of ${name} ${Math.random()}`
      const declared = { name: 'a.txt', contentType: 'text/plain', byteSize: content.length, sha256: null }
      const intent = await createUploadIntent(ctx, { ...declared, fileId: null, retention: null, idempotencyKey: null })
      const sent = await sendBytes(await signUpload({ ...ctx, now: () => new Date() }, intent), content)
      expect(sent.status).toBe(200)
      return (await commitUpload(ctx, intent.id)).file.id
    },
    trash: (id) => deleteFile(contextOf(tenant.member), id),
    restore: (id) => restoreFile(contextOf(tenant.member), id),
    purge: (id) => purgeFile(contextOf(tenant.admin), id),
    look: () =>
      advanceMarker(parts).then(
        () => null,
        (error: Error) => error.message,
      ),
    sweep: async () => {
      let deleted = 0
      for (const kind of ['PURGE_FILES', 'DELETE_BLOBS', 'RECONCILE'] as const) {
        const { tally } = await sweepWith(service, parts, tenant.id, kind)
        if (kind !== 'PURGE_FILES') deleted += tally.deleted
      }
      return deleted
    },
    liveFiles: () => read(false),
    trashedFiles: async () => (await read(true)).map(({ fileId }) => fileId),
  }
}

/** Fails where a database has a live file whose bytes are gone. */
export async function expectLiveBytes(databases: readonly LivingDatabase[]): Promise<void> {
  for (const { name, parts, liveFiles } of databases) {
    for (const { key } of await liveFiles()) expect([name, key, await parts.blobs.head(key)]).not.toContain(null)
  }
}

/** Starts production: a service without grace periods, a tenant, and a first marker in the bucket. */
export async function startProduction() {
  const service = await startTestService()
  Object.assign(service.cleanup, { orphanGraceMs: 0, purgeGraceMs: 0, listedPerSecond: 1_000_000 })
  const tenant = await service.createTenant()
  const production = productionOf(service, tenant)
  const doubt = await production.look()
  if (doubt !== null) throw new Error(`A new database is in doubt about its bucket: ${doubt}`)
  return { service, tenant, production }
}

import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTenantDatabase, type TenantDatabase } from '../../src/database/tenantDatabase.ts'
import type { Context, Principal } from '../../src/domain/context.ts'
import { attachFile, detachFile, replaceAttachment } from '../../src/domain/files/attachments/attachments.ts'
import {
  changeRetention,
  deleteFile,
  holdFile,
  releaseFile,
  renameFile,
  restoreFile,
} from '../../src/domain/files/changeFile.ts'
import { issueDownloadUrl } from '../../src/domain/files/issueDownloadUrl.ts'
import { violationsIn } from '../../src/domain/fsck/testing/violationsIn.ts'
import { Refusal } from '../../src/domain/refusals.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import type { CleanupKind } from '../../src/domain/sweeps/runs/recordRun.ts'
import { commitUpload } from '../../src/domain/uploads/commitUpload.ts'
import { cancelUpload } from '../../src/domain/uploads/intents/releaseUpload.ts'
import { type HostApplication, startHostApplication } from '../hostApplication.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import { openSuperuser } from './plantFile.ts'
import { addFile, sendVersion } from './scene.ts'

const clients = 24
const rounds = process.env['FAULTS'] === 'long' ? 400 : 12

let service: TestService
let database: TenantDatabase
let host: HostApplication
let superuser: postgres.Sql
let tenant: TestTenant
let files: string[] = []

beforeAll(async () => {
  service = await startTestService()
  superuser = openSuperuser(service)
  const [row] = await superuser<{ name: string }[]>`select current_database() as name`
  // Deadlocks are looked for sooner, so that the test does not wait a second for each.
  await superuser.unsafe(`alter database ${row?.name} set deadlock_timeout = '100ms'`)
  await superuser`select pg_reload_conf()`
  database = openTenantDatabase({ url: service.testDatabase.url, size: clients, applicationName: 'test' })
  host = await startHostApplication(service)
  Object.assign(service.cleanup, { purgeGraceMs: 0, brakeShare: 1 })
  tenant = await service.createTenant({ trashDays: 0 })
})

afterAll(async () => {
  await host.close()
  await database.close()
  await superuser.end()
  await service.close()
})

const as = (principal: Principal): Context => ({ ...service.contextOf(principal), database })

/** A user of the host application without a row yet: several of their requests come at once. */
const newcomer = (): Principal => {
  const id = randomUUID()
  return { ...tenant.admin, id, kind: 'EXTERNAL', subject: id, name: 'Newcomer', email: null }
}

const slots = ['avatar', 'cover'].map((slot) => ({ ownerType: 'user', ownerId: '1', slot }))
const chance = (below: number) => Math.floor(Math.random() * below)
const oneOf = <T>(things: readonly T[]): T => things[chance(things.length)] as T

type Act = (ctx: Context, file: string) => Promise<unknown>

const sweep =
  (kind: CleanupKind): Act =>
  () =>
    service.sweep(tenant.id, kind)

const verbs: Readonly<Record<string, Act>> = {
  attach: (ctx, file) => attachFile(ctx, file, oneOf(slots)),
  detach: (ctx, file) => detachFile(ctx, file, oneOf(slots)),
  replace: (ctx, file) => replaceAttachment(ctx, file, oneOf(slots)),
  hostAttach: (_ctx, file) => host.inTenant(tenant.id, (tx) => fromHost(tx, 'attach_file', file)),
  hostDetach: (_ctx, file) => host.inTenant(tenant.id, (tx) => fromHost(tx, 'detach_file', file)),
  hostReplace: (_ctx, file) => host.inTenant(tenant.id, (tx) => fromHost(tx, 'replace_attachment', file)),
  delete: deleteFile,
  restore: restoreFile,
  purge: purgeFile,
  rename: (ctx, file) => renameFile(ctx, file, `${randomUUID()}.txt`),
  retain: (ctx, file) => changeRetention(ctx, file, oneOf(['KEPT', 'WHILE_ATTACHED'])),
  hold: (ctx, file) => holdFile(ctx, file, 'a law'),
  release: releaseFile,
  issue: (ctx, file) => issueDownloadUrl(ctx, file, { disposition: 'ATTACHMENT', expiresInSeconds: null }),
  commitVersion: async (ctx, file) => {
    const upload = await sendVersion(ctx, 'a version', file)
    return Promise.all([commitUpload(ctx, upload), oneOf([commitUpload, cancelUpload])(ctx, upload)])
  },
  cancel: async (ctx, file) => cancelUpload(ctx, await sendVersion(ctx, 'a version', oneOf([file, null]))),
  expire: async (ctx, file) => {
    const upload = await sendVersion(ctx, 'a version', file)
    await superuser`update uploads set expires_at = now() - interval '1 minute' where id = ${upload}`
    return service.sweep(tenant.id, 'EXPIRE_UPLOADS')
  },
  purgeFiles: sweep('PURGE_FILES'),
  deleteBlobs: sweep('DELETE_BLOBS'),
  verify: sweep('VERIFY'),
  reconcile: sweep('RECONCILE'),
}

const fromHost = (tx: postgres.TransactionSql, name: string, file: string) => {
  const { ownerType, ownerId, slot } = oneOf(slots)
  return tx.unsafe(`select filegraph.${name}($1, $2, $3, $4)`, [file, ownerType, ownerId, slot])
}

/** What each side may say to the other: a refusal of ours, or one of the functions' own errors. */
const isRefusal = (error: unknown) =>
  error instanceof Refusal || ['55000', 'P0002'].includes(String((error as { code?: unknown }).code))

async function act(who: readonly Context[]): Promise<void> {
  const file = oneOf(files)
  try {
    await oneOf(Object.values(verbs))(oneOf(who), file)
  } catch (error) {
    if (!isRefusal(error)) throw error
  }
}

/** Replaces what was purged, and takes some files out of the trash, so that there is something to do again. */
async function bringBack(): Promise<void> {
  const rows = await superuser<{ id: string; trashed: boolean }[]>`
    select id, soft_deleted_at is not null as trashed from files where id = any(${files}) and purged_at is null`
  const ctx = as(tenant.admin)
  for (const { id, trashed } of rows) if (trashed && chance(2) === 0) await restoreFile(ctx, id)
  const missing = Array.from({ length: 3 - rows.length }, () => addFile(ctx, 'another'))
  files = [...rows.map(({ id }) => id), ...(await Promise.all(missing))]
}

it(`${clients} clients that make any change to three files never deadlock`, async () => {
  for (let round = 0; round < rounds; round += 1) {
    await bringBack()
    const who = [tenant.member, tenant.admin, newcomer()].map(as)
    await Promise.all(Array.from({ length: clients }, () => act(who)))
  }
  // Statistics are written when a session ends.
  await database.close()
  const [row] = await superuser`select deadlocks::int from pg_stat_database where datname = current_database()`
  expect(row).toEqual({ deadlocks: 0 })
  expect(await violationsIn(service, { tenant })).toEqual([])
}, 600_000)

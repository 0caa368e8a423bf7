import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import {
  askForIntent,
  type Data,
  startTestService,
  type TestService,
  type TestUpload,
  uploadFile,
} from '../../../../test/testService.ts'
import { type Context, systemPrincipal } from '../../context.ts'
import { attachFile } from '../../files/attachments/attachments.ts'
import { deleteFile, renameFile } from '../../files/changeFile.ts'
import { acceptBucket } from '../../installation/acceptBucket.ts'
import { purgeFile } from '../../sweeps/purge/purgeFile.ts'
import { createTenant } from '../../tenants/createTenant.ts'
import type { TenantName } from '../../tenants/findTenant.ts'

/** A service in which every defect can be planted. */
export interface Workbench {
  readonly service: TestService
  /** A healthy tenant with one file of each kind. */
  furnish(): Promise<Furnished>
  /** Changes rows without asking triggers, foreign keys or the tenant boundary. */
  plant(statement: string, rows?: number): Promise<void>
  close(): Promise<void>
}

/** UUIDs of files in each state, and of what belongs to them. */
export interface Furnished extends TenantName {
  readonly ctx: Context
  /** Renamed after its second version. */
  readonly kept: string
  readonly attached: string
  readonly trashed: string
  readonly purged: string
  readonly pending: string
  blobOf(fileId: string, version?: number): Promise<{ id: string; key: string }>
  /** The blob of the purged file. */
  readonly released: string
}

export const uuidOf = ({ id }: Data): string => Buffer.from(id, 'base64url').toString().split(':').at(-1) ?? ''

interface WorkbenchOptions {
  /** Leaves the check constraints in place, so that a defect has to pass them. */
  readonly keepsConstraints?: boolean
}

export async function openWorkbench({ keepsConstraints = false }: WorkbenchOptions = {}): Promise<Workbench> {
  const service = await startTestService()
  const superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  await superuser`set session_replication_role = replica`
  if (!keepsConstraints) await dropConstraints(superuser)
  await acceptBucket(service)
  return {
    service,
    furnish: () => furnish(service, superuser),
    plant: async (statement, rows = 1) => {
      const { count } = await superuser.unsafe(statement)
      if (count !== rows) throw new Error(`Changed ${count} rows: ${statement}`)
    },
    close: async () => {
      await superuser.end()
      await service.close()
    },
  }
}

const dropConstraints = (superuser: postgres.Sql) =>
  superuser.unsafe(`do $$ declare c record; begin
    for c in select conrelid::regclass as t, conname from pg_constraint
      where contype = 'c' and connamespace = 'filegraph'::regnamespace
    loop execute format('alter table %s drop constraint %I', c.t, c.conname); end loop; end $$`)

async function furnish(service: TestService, superuser: postgres.Sql): Promise<Furnished> {
  const { id, slug } = await createTenant(service, { slug: `t-${randomUUID().slice(0, 8)}`, name: 'Furnished' })
  const ctx = service.contextOf(systemPrincipal(id))
  const upload = (given: TestUpload) => uploadFile(service, ctx.principal, given)
  const first = await upload({ name: 'kept.txt' })
  const kept = uuidOf(await upload({ name: 'again.txt', content: 'the second one', fileId: first.id }))
  await renameFile(ctx, kept, 'renamed.txt')
  const attached = uuidOf(await upload({ name: 'attached.txt' }))
  await attachFile(ctx, attached, { ownerType: 'invoice', ownerId: '1', slot: 'default' })
  const trashed = uuidOf(await upload({ name: 'trashed.txt' }))
  await deleteFile(ctx, trashed)
  const purged = uuidOf(await upload({ name: 'purged.txt' }))
  const blobOf = async (fileId: string, version = 1) => {
    const [blob] =
      await superuser`select b.id, b.object_key as key from file_versions v join blobs b on b.id = v.blob_id
      where v.file_id = ${fileId} and v.version = ${version}`
    return blob as unknown as { id: string; key: string }
  }
  const released = (await blobOf(purged)).id
  await deleteFile(ctx, purged)
  await purgeFile(ctx, purged)
  const { uploadIntent } = await askForIntent(service, ctx.principal)
  return { id, slug, ctx, kept, attached, trashed, purged, pending: uuidOf(uploadIntent), released, blobOf }
}

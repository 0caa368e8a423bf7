import type { TenantName } from '../../domain/tenants/findTenant.ts'
import { isRefused, readAs, type Answer, broken, ok, together, unproven, type VerifyContext } from './proof.ts'

/** What the tables themselves refuse, whatever the program does. */
const constraints = [
  'files_in_use_not_deleted',
  'files_purged_from_trash',
  'blobs_ready_while_referenced',
  'attachments_file',
  'file_versions_file',
  'file_versions_blob',
] as const

/** What would harm a file in use, and how to find one. */
const attempts = [
  {
    what: 'to delete a file that is attached',
    find: 'select id from files where tenant_id = $1 and attachment_count > 0 limit 1',
    harm: 'update files set soft_deleted_at = now(), soft_deleted_by = uploaded_by where tenant_id = $1 and id = $2',
  },
  {
    what: 'to release the bytes of a version',
    find: 'select blob_id as id from file_versions where tenant_id = $1 limit 1',
    harm: 'delete from blobs where tenant_id = $1 and id = $2',
  },
  {
    what: 'to put the bytes of a version on their way out',
    find: 'select blob_id as id from file_versions where tenant_id = $1 limit 1',
    harm: `update blobs set status = 'deleting', deleting_since = now() where tenant_id = $1 and id = $2`,
  },
] as const

/** That the tables refuse to delete a file in use: they say so, and one that is there was tried. */
export async function proveUse(ctx: VerifyContext): Promise<Answer> {
  const answers = [await askConstraints(ctx)]
  for (const attempt of attempts) answers.push(await tryOne(ctx, attempt))
  return together(...answers)
}

async function askConstraints({ application }: VerifyContext): Promise<Answer> {
  const rows = await application<{ name: string }[]>`
    select conname as name from pg_constraint where conname in ${application([...constraints])} and convalidated`
  const standing = new Set(rows.map(({ name }) => name))
  const absent = constraints.filter((name) => !standing.has(name))
  return absent.length === 0
    ? ok(`${constraints.length} constraints stand`)
    : broken(`no constraint ${absent.join(', ')}`)
}

async function tryOne(ctx: VerifyContext, { what, find, harm }: (typeof attempts)[number]): Promise<Answer> {
  const found = await findIn(ctx, ctx.tenants, find)
  if (!found) return unproven(`there is nothing to try ${what} with`)
  const refused = await isRefused(ctx.application, found.tenant.id, harm, [found.tenant.id, found.id])
  return refused
    ? ok(`an attempt ${what} was refused`)
    : broken(`an attempt ${what} (${found.id}) was accepted, and taken back`)
}

async function findIn({ application }: VerifyContext, tenants: readonly TenantName[], statement: string) {
  for (const tenant of tenants) {
    const [row] = await readAs<{ id: string }>(application, tenant.id, statement, [tenant.id])
    if (row) return { tenant, id: row.id }
  }
  return null
}

import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { onlyRow } from '../../database/onlyRow.ts'
import { appRole } from '../../database/roles.ts'
import { tenantTableNames } from '../../database/tenantPredicate.ts'
import { pendingMigrations } from '../../run/readiness.ts'
import { readAs, type Answer, broken, ok, together, unproven, type VerifyContext } from './proof.ts'

const tables = [...tenantTableNames, 'tenants']

/** Checks row-level security in the catalogue and by trying to read rows of other tenants. */
export const proveBoundary = async (ctx: VerifyContext): Promise<Answer> =>
  together(await askCatalogue(ctx), await askRole(ctx), await lookAround(ctx))

async function askCatalogue({ application }: VerifyContext): Promise<Answer> {
  const rows = await application<{ name: string; isForced: boolean }[]>`
    select c.relname as name, c.relrowsecurity and c.relforcerowsecurity
      and exists (select from pg_policy p where p.polrelid = c.oid) as "isForced"
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and (c.relname = 'tenants'
      or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))`
  const open = rows.filter(({ isForced }) => !isForced).map(({ name }) => name)
  const unknown = rows.filter(({ name }) => !tables.includes(name)).map(({ name }) => name)
  if (open.length > 0) return broken(`row-level security is not forced on ${open.join(', ')}`)
  if (unknown.length > 0) return broken(`nobody knows the tenant tables ${unknown.join(', ')}`)
  if (rows.length < tables.length) return broken(`of ${tables.length} tenant tables ${rows.length} are there`)
  return ok(`row-level security is forced on all ${rows.length} tables`)
}

async function askRole({ application }: VerifyContext): Promise<Answer> {
  const [role] = await application<{ isCurrent: boolean; isFree: boolean; owned: number }[]>`
    select r.rolname = current_user as "isCurrent", r.rolsuper or r.rolbypassrls as "isFree",
      (select count(*)::int from pg_shdepend d where d.refobjid = r.oid and d.deptype = 'o') as owned
    from pg_roles r where r.rolname = ${appRole}`
  if (!role?.isCurrent) return broken(`the application does not act as ${appRole}`)
  if (role.isFree || role.owned > 0) return broken(`${appRole} owns tables, or may step around row-level security`)
  return ok(`${appRole} owns nothing and is bound by it`)
}

/** Reads as each tenant, as an unknown tenant, and without a tenant. No read may return a row of another tenant. */
async function lookAround({ application, tenants }: VerifyContext): Promise<Answer> {
  if (tenants.length === 0) return unproven('there is no tenant whose rows could be seen')
  const others = tables.map((table) => `exists (select from ${table} where ${keyOf(table)} <> $1) as ${table}`)
  for (const { id, slug } of [...tenants, { id: randomUUID(), slug: 'nobody' }]) {
    const seen = await readAs<Record<string, boolean>>(application, id, `select ${others.join(', ')}`, [id])
    const leaks = Object.entries(onlyRow(seen)).filter(([, sees]) => sees)
    if (leaks.length > 0)
      return broken(`as ${slug}, rows of others are seen in ${leaks.map(([name]) => name).join(', ')}`)
    const [own] = await readAs<{ n: number }>(application, id, 'select count(*)::int as n from tenants')
    if (own?.n !== (slug === 'nobody' ? 0 : 1)) return broken(`as ${slug}, ${own?.n ?? 0} tenants are seen`)
  }
  const any = tables.map((table) => `exists (select from ${table})`).join(' or ')
  const [row] = await application.unsafe<{ sees: boolean }[]>(`select ${any} as sees`)
  if (row?.sees !== false) return broken('without a tenant, rows are seen')
  return ok(`as ${tenants.length} tenants, as none of them and without one, no row of another is seen`)
}

const keyOf = (table: string) => (table === 'tenants' ? 'id' : 'tenant_id')

/** Constraints that were added NOT VALID: rows from before can break them. */
const boundForNewRows = ['attachments_owner_type', 'attachments_owner_id', 'attachments_slot']

/** Checks that the tables match the migrations and refuse what they must refuse. */
export async function proveSchema({ backends, application }: VerifyContext): Promise<Answer> {
  const pending = await pendingMigrations(backends.database)
  const found = await application<{ unchecked: string[]; invalid: string[]; untied: string[] }[]>`select
    array(select conname::text from pg_constraint
      where connamespace = current_schema()::regnamespace and not convalidated and conname not in ${application(boundForNewRows)}
      order by 1) as unchecked,
    array(select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = current_schema()::regnamespace and not (i.indisvalid and i.indisready) order by 1) as invalid,
    array(select i.indexrelid::regclass::text from pg_index i
      join pg_class c on c.oid = i.indrelid and c.relnamespace = current_schema()::regnamespace
      join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id'
      where i.indkey[0] <> t.attnum
        and coalesce(pg_get_expr(i.indpred, i.indrelid), '') !~ 'tenant_id <> ''0{8}-' order by 1) as untied`
  const { unchecked, invalid, untied } = onlyRow(found)
  return together(
    pending === 0 ? ok('every migration has run') : broken(`${pending} migrations have not run`),
    noneOf(unchecked, 'every constraint is validated', 'constraints that are not validated'),
    noneOf(invalid, 'every index is valid', 'indexes that are not valid'),
    noneOf(
      untied,
      'each index of a tenant table begins with tenant_id, or serves questions across tenants alone',
      'indexes that do not begin with tenant_id',
    ),
  )
}

const noneOf = (names: readonly string[], holds: string, exceptions: string): Answer =>
  names.length === 0 ? ok(holds) : broken(`${exceptions}: ${names.join(', ')}`)

/** The form of a signature, of an API key and of a bearer token. */
const shapes = [/X-Amz-Signature=[0-9a-f]{64}/i, /fgk_[\w-]{30,}/, /Bearer [\w-]{20,}/i]

/** Searches the log files line by line for secrets. Reports the number of lines and never their content. */
export async function proveLog({ logFiles, secrets }: VerifyContext): Promise<Answer> {
  if (logFiles.length === 0) return unproven('the log goes to standard output: search it where it is collected')
  let [lines, leaks] = [0, 0]
  for (const path of logFiles) {
    for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
      lines += 1
      if (shapes.some((shape) => shape.test(line)) || secrets.some((secret) => line.includes(secret))) leaks += 1
    }
  }
  const where = logFiles.join(' and ')
  return leaks === 0
    ? ok(`${lines} lines of ${where} hold none`)
    : broken(`${leaks} of ${lines} lines of ${where} hold one`)
}

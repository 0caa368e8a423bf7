import { pendingMigrations } from '../../readiness.ts'
import { type Answer, broken, ok, together, type VerifyContext } from './proof.ts'

/** Added without a check of the rows that were there: hosts attached owners with such characters before, and keep them. */
const boundForNewRows = ['attachments_owner_type', 'attachments_owner_id', 'attachments_slot']

/** That the tables are as the migrations made them, and that what they refuse is refused. */
export async function proveSchema({ services, application }: VerifyContext): Promise<Answer> {
  const pending = await pendingMigrations(services.database)
  const [found] = await application<{ unchecked: string[]; invalid: string[]; untied: string[] }[]>`select
    array(select conname::text from pg_constraint
      where connamespace = 'public'::regnamespace and not convalidated and conname not in ${application(boundForNewRows)}
      order by 1) as unchecked,
    array(select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = 'public'::regnamespace and not (i.indisvalid and i.indisready) order by 1) as invalid,
    array(select i.indexrelid::regclass::text from pg_index i
      join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace
      join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id'
      where i.indkey[0] <> t.attnum order by 1) as untied`
  const { unchecked = [], invalid = [], untied = [] } = found ?? {}
  return together(
    pending === 0 ? ok('every migration has run') : broken(`${pending} migrations have not run`),
    noneOf(unchecked, 'every constraint is validated', 'constraints that are not validated'),
    noneOf(invalid, 'every index is valid', 'indexes that are not valid'),
    noneOf(untied, 'each index of a tenant table begins with tenant_id', 'indexes that do not begin with tenant_id'),
  )
}

const noneOf = (names: readonly string[], holds: string, exceptions: string): Answer =>
  names.length === 0 ? ok(holds) : broken(`${exceptions}: ${names.join(', ')}`)

import type postgres from 'postgres'
import {
  declaredPrivileges,
  functionOwners,
  isDeclared,
  type Privilege,
  tablesReadAcrossTenants,
} from './privileges.ts'
import { ourRoles, scheduleRole } from './roles.ts'

type Client = postgres.Sql | postgres.TransactionSql

/**
 * Makes owners and privileges as declared. A dump keeps them by name, so a restore into a server without our roles loses
 * them, and functions that should run with few privileges then run with those of the superuser.
 *
 * Sends only statements that change something. Only a missing policy locks a table, for a moment.
 */
export async function applyPrivileges(client: postgres.Sql, schema: string): Promise<void> {
  if ((await findDifferences(client, schema)).length === 0) return
  await client.begin(async (tx) => {
    await tx`set local lock_timeout = '5s'`
    await refuseForeignOwner(tx, schema)
    const attributes = await roleDifferences(tx)
    const owners = await ownerDifferences(tx, schema)
    for (const statement of [...attributes, ...owners]) await tx.unsafe(statement)
    // Asked again, because a new owner changes who may call a function.
    for (const statement of await findDifferences(tx, schema)) await tx.unsafe(statement)
  })
}

/** The statements that would make owners and privileges as declared. Any login may ask. */
export async function findDifferences(client: Client, schema: string): Promise<string[]> {
  return [
    ...(await roleDifferences(client)),
    ...(await ownerDifferences(client, schema)),
    ...(await privilegeDifferences(client, schema)),
    ...(await policyDifferences(client, schema)),
  ]
}

/** Only its owner can change who may use a table. */
async function refuseForeignOwner(client: Client, schema: string): Promise<void> {
  const [foreign] = await client`
    select relowner::regrole::text as owner, current_user::text as login from pg_class
    where relnamespace = to_regnamespace(${schema}) and relkind = 'r' and not pg_has_role(current_user, relowner, 'member')`
  if (!foreign) return
  const { owner, login } = foreign
  throw new Error(
    `The tables of the schema ${schema} belong to ${owner}, and the login ${login} cannot change who may use them. ` +
      `Migrate as ${owner}, or run as an administrator: grant ${owner} to ${login}`,
  )
}

async function roleDifferences(client: Client): Promise<string[]> {
  const roles = await client`select rolname as name from pg_roles where rolname = any(${[...ourRoles]})
    and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin)`
  return roles.map(({ name }) => `alter role ${name} nologin nosuperuser nocreatedb nocreaterole nobypassrls`)
}

/** Only a role that may create functions in the schema can become the owner of one. */
async function ownerDifferences(client: Client, schema: string): Promise<string[]> {
  const functions = await functionsOf(client, schema)
  return Object.entries(functionOwners).flatMap(([role, names]) => {
    const wrong = functions.filter(({ name, owner }) => names.includes(name) && owner !== role)
    if (wrong.length === 0) return []
    const changes = wrong.map(({ signature }) => `alter function ${signature} owner to ${role}`)
    return [`grant create on schema ${schema} to ${role}`, ...changes, `revoke create on schema ${schema} from ${role}`]
  })
}

async function policyDifferences(client: Client, schema: string): Promise<string[]> {
  const policies = await client`select c.relname as table from pg_policy p join pg_class c on c.oid = p.polrelid
    where c.relnamespace = to_regnamespace(${schema}) and p.polname = 'due_in_any_tenant'`
  const present = new Set(policies.map((row) => String(row['table'])))
  const absent = tablesReadAcrossTenants.filter((table) => !present.has(table))
  return absent.map(
    (table) => `create policy due_in_any_tenant on ${schema}.${table} for select to ${scheduleRole} using (true)`,
  )
}

async function privilegeDifferences(client: Client, schema: string): Promise<string[]> {
  const actual = await actualPrivileges(client, schema)
  const functions = await functionsOf(client, schema)
  const write = (verb: string, each: Privilege, to: string) => {
    const columns = each.column === null ? '' : ` (${each.column})`
    const signature = functions.find(({ name }) => name === each.object)?.signature
    const object = { schema, table: `${schema}.${each.object}`, function: signature ?? '' }[each.kind]
    return `${verb} ${each.privilege}${columns} on ${each.kind} ${object} ${to} ${each.role}`
  }
  const has = new Set(actual.map(keyOf))
  const wants = new Set(declaredPrivileges.map(keyOf))
  const surplus = actual.filter((each) => isDeclared(each) && !wants.has(keyOf(each)))
  const missing = declaredPrivileges.filter((each) => !has.has(keyOf(each)))
  return [...surplus.map((each) => write('revoke', each, 'from')), ...missing.map((each) => write('grant', each, 'to'))]
}

const keyOf = ({ role, privilege, kind, object, column }: Privilege): string =>
  [role, privilege, kind, object, column].join(' ')

/** Those of our roles and of everybody. An owner's own are left out. */
async function actualPrivileges(client: Client, schema: string): Promise<Privilege[]> {
  return client<Privilege[]>`
    select coalesce(r.rolname, 'public') as role, lower(a.privilege_type) as privilege, o.kind, o.object, o.column
    from (
      select 'schema' as kind, '' as object, null as column, nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl
        from pg_namespace where oid = to_regnamespace(${schema})
      union all select 'table', relname, null, relowner, coalesce(relacl, acldefault('r', relowner))
        from pg_class where relnamespace = to_regnamespace(${schema}) and relkind = 'r'
      union all select 'table', c.relname, t.attname, c.relowner, t.attacl
        from pg_attribute t join pg_class c on c.oid = t.attrelid
        where c.relnamespace = to_regnamespace(${schema}) and c.relkind = 'r' and t.attacl is not null
      union all select 'function', proname, null, proowner, coalesce(proacl, acldefault('f', proowner))
        from pg_proc where pronamespace = to_regnamespace(${schema})
    ) o
    cross join lateral aclexplode(o.acl) a
    left join pg_roles r on r.oid = a.grantee
    where a.grantee <> o.owner and (a.grantee = 0 or r.rolname = any(${[...ourRoles]}))`
}

interface OwnedFunction {
  readonly name: string
  readonly owner: string
  readonly signature: string
}

async function functionsOf(client: Client, schema: string): Promise<OwnedFunction[]> {
  return client<OwnedFunction[]>`
    select proname as name, r.rolname as owner, ${schema} || '.' || proname || '(' || oidvectortypes(proargtypes) || ')' as signature
    from pg_proc join pg_roles r on r.oid = proowner where pronamespace = to_regnamespace(${schema}) order by 1`
}

import type postgres from 'postgres'

/**
 * Reads every row of every tenant and writes nothing. `filegraph backup` switches to it. The login of the application must not
 * be a member, because row-level security does not hide anything from this role.
 */
export const backupRole = 'filegraph_backup'

/** The policy through which the role reads a table with row-level security. */
const policy = 'read_for_backup'

/**
 * Lets the role read each table of the schema. A policy and not BYPASSRLS, which only a superuser can grant. Runs after each
 * migration, so that a new table cannot be left out. Changes and locks nothing if all tables are readable already.
 */
export async function letBackupRead(tx: postgres.TransactionSql, schema: string): Promise<void> {
  await tx.unsafe(`do $$ declare t record; begin
    if not has_schema_privilege('${backupRole}', '${schema}', 'usage') then
      grant usage on schema ${schema} to ${backupRole};
    end if;
    for t in select c.oid, c.relname, c.relrowsecurity from pg_class c
      where c.relnamespace = '${schema}'::regnamespace and c.relkind in ('r', 'p', 'S')
    loop
      -- pg_dump also reads the sequences.
      if not has_table_privilege('${backupRole}', t.oid, 'select') then
        execute format('grant select on ${schema}.%I to ${backupRole}', t.relname);
      end if;
      if t.relrowsecurity and not exists (select from pg_policy where polrelid = t.oid and polname = '${policy}') then
        execute format('create policy ${policy} on ${schema}.%I for select to ${backupRole} using (true)', t.relname);
      end if;
    end loop;
  end $$`)
}

/** The tables of the schema that the role cannot read whole. A backup without their rows would look like a good one. */
export async function findUnreadable(sql: postgres.ISql, schema: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`select c.relname as name from pg_class c
    where c.relnamespace = ${schema}::regnamespace and c.relkind in ('r', 'p') and (
      not has_table_privilege(${backupRole}, c.oid, 'select')
      or c.relrowsecurity and not (select rolbypassrls or rolsuper from pg_roles where rolname = current_user)
        and not exists (select from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
          and pg_get_expr(p.polqual, p.polrelid) = 'true' and ${backupRole}::regrole = any (p.polroles)))
    order by 1`
  return rows.map(({ name }) => name)
}

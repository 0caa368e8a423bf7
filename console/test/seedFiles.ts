import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

interface Database {
  unsafe(text: string): Promise<unknown>
  end(): Promise<void>
}

/** The console has no database driver, so this is the server's. */
const postgres = createRequire(new URL('../../server/package.json', import.meta.url))('postgres') as (
  url: string,
  options: object,
) => Database

/**
 * Inserts `count` files into a tenant of a running product, one second apart. The oldest is `file 1.pdf`. They have no bytes,
 * because uploading so many would take minutes.
 */
export const seedFiles = (directory: string, tenant: string, count: number): Promise<void> =>
  inDatabase(directory, async (sql) => {
    for (const statement of statements) await sql.unsafe(statement(tenant, count))
    await sql.unsafe('vacuum (analyze) files, file_versions, blobs')
  })

/** Inserts `count` audit entries about files into a tenant, one minute apart. The oldest is about `file 1.pdf`. */
export const seedAuditLog = (directory: string, tenant: string, count: number): Promise<void> =>
  inDatabase(directory, async (sql) => {
    await sql.unsafe(`
      insert into audit_log (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, subject_name, payload,
        request_id, address, user_agent)
      select tenants.id, uuidv7(at - now()), -(random() * 1e15)::bigint, at, actor.id, 'file.renamed', 'file', uuidv7(), 'file ' || n || '.pdf',
        jsonb_build_object('from', 'old name ' || n || '.pdf', 'to', 'file ' || n || '.pdf'), uuidv7()::text, '192.0.2.7',
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36'
      from tenants, generate_series(1, ${count}) n,
        lateral (select (now() - interval '1 day' - (${count} - n) * interval '1 minute')::timestamptz(3) as at) moment,
        lateral (select id from principals where tenant_id = tenants.id and kind = 'USER' order by id limit 1) actor
      where slug = '${tenant}'`)
    await sql.unsafe('vacuum (analyze) audit_log')
  })

/** Inserts `count` people of a host application into a tenant: `Guest 1` and so on. */
export const seedPeople = (directory: string, tenant: string, count: number): Promise<void> =>
  inDatabase(directory, async (sql) => {
    await sql.unsafe(`
      insert into principals (tenant_id, id, kind, subject, name, email, created_at)
      select id, uuidv7(), 'EXTERNAL', 'guest-' || n, 'Guest ' || n, 'guest' || n || '@host.example', now()
      from tenants, generate_series(1, ${count}) n where slug = '${tenant}'`)
  })

/** Runs one statement of a test. */
export const runSql = (directory: string, text: string): Promise<void> =>
  inDatabase(directory, async (sql) => void (await sql.unsafe(text)))

async function inDatabase(directory: string, run: (sql: Database) => Promise<void>): Promise<void> {
  const sql = postgres(superuserUrl(directory), { max: 1, onnotice: () => undefined })
  try {
    // Triggers and foreign keys check rows from unknown sources. These rows are generated to fit.
    await sql.unsafe('set session_replication_role = replica; set synchronous_commit = off')
    await run(sql)
  } finally {
    await sql.end()
  }
}

function superuserUrl(directory: string): string {
  const read = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Record<string, string>
  const password = read('secrets.json')['postgresSuperuserPassword'] ?? ''
  return `postgres://postgres:${password}@127.0.0.1:${read('instance.json')['postgresPort']}/filegraph?search_path=filegraph`
}

const statements = [
  (tenant: string, count: number) => `
    create temporary table seeded as
    select tenants.id as tenant_id, uploader.id as uploaded_by, uuidv7() as blob_id, uuidv7(at - now()) as file_id, at, n,
      'file ' || n || '.pdf' as name, 1000 + n as size
    from tenants, generate_series(1, ${count}) n,
      lateral (select (now() - interval '1 day' - (${count} - n) * interval '1 second')::timestamptz(3) as at) moment,
      lateral (select id from principals where tenant_id = tenants.id and kind = 'USER' order by id limit 1) uploader
    where slug = '${tenant}'`,
  () => `
    insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, etag, created_at)
    select tenant_id, blob_id, 'org/' || tenant_id || '/files/' || blob_id || '.pdf', 'ready', 1, size, 'application/pdf',
      md5(blob_id::text), at from seeded`,
  () => `
    insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by,
      uploaded_at, updated_at)
    select tenant_id, file_id, name, 'application/pdf', size, 1, uploaded_by, at, at from seeded`,
  () => `
    insert into file_versions (tenant_id, file_id, version, blob_id, original_file_name, content_type, byte_size,
      created_by, created_at)
    select tenant_id, file_id, 1, blob_id, name, 'application/pdf', size, uploaded_by, at from seeded`,
  () => 'drop table seeded',
]

import { postgres, product } from './serverPackage.mjs'

const shareOfLargest = 0.3
const uploaders = 8

/**
 * Fills the database of a fresh product: `files` files in `tenants` tenants, the first with 30 % of them. Tenants and API
 * keys are made by the product's own functions, rows by one statement a table and a tenant, since uploading a million
 * files would measure the disk. Answers with the tenants: `{ id, key, files }`.
 */
export async function seedData({ databaseUrl, adminUrl }, { files, tenants }) {
  const made = await makeTenants(databaseUrl, tenants)
  const sql = postgres(adminUrl, { max: 1, onnotice: () => undefined })
  try {
    // Triggers and foreign keys check rows from unknown sources. These rows are generated to fit.
    await sql.unsafe('set session_replication_role = replica; set synchronous_commit = off')
    const largest = Math.round(files * shareOfLargest)
    const others = Math.round((files - largest) / (tenants - 1))
    for (const [at, tenant] of made.entries()) {
      tenant.files = at === 0 ? largest : others
      await seedTenant(sql, tenant)
    }
    await sql.unsafe('vacuum (analyze) files, file_versions, blobs, audit_log, principals, tenant_usage')
    await sql.unsafe('checkpoint')
  } finally {
    await sql.end()
  }
  return made
}

async function makeTenants(databaseUrl, count) {
  const { openTenantDatabase } = await product('database/tenantDatabase.js')
  const { createTenant } = await product('domain/tenants/createTenant.js')
  const { createApiKey } = await product('domain/identity/keys/apiKeys.js')
  const { systemPrincipal } = await product('domain/context.js')
  const database = openTenantDatabase({ url: databaseUrl, size: 2, applicationName: 'bench' })
  const services = { database, now: () => new Date() }
  const made = []
  try {
    for (let at = 0; at < count; at += 1) {
      const { id } = await createTenant(services, { slug: `tenant-${at}`, name: `Tenant ${at}` })
      const origin = { requestId: null, address: null, userAgent: null }
      const ctx = { ...services, principal: systemPrincipal(id), origin }
      const { secret } = await createApiKey(ctx, { name: 'bench', role: 'ADMIN', expiresAt: null })
      made.push({ id, key: secret, files: 0 })
    }
  } finally {
    await database.close()
  }
  return made
}

async function seedTenant(sql, { id, files }) {
  for (const statement of statements) await sql.unsafe(statement(`'${id}'::uuid`, files))
}

/** Uploads of the last 300 days, evenly; every 20th file lies in the trash, every 10th name is not plain ASCII. */
const seeded = (tenant, files) => `
  create temporary table seeded on commit preserve rows as
  select n, at, size, blob_id, type.content_type, type.extension, uploader.id as uploaded_by,
    uuidv7(at - now()) as file_id,
    case when n % 10 = 0 then 'Übersicht ' else 'report ' end || n || '.' || type.extension as name,
    'org/' || ${tenant} || '/files/' || blob_id || '.' || type.extension as object_key,
    case when n % 20 = 7 then greatest(at, now() - (n % 900) * interval '40 minutes') end::timestamptz(3) as deleted_at
  from (
    select n, uuidv7() as blob_id, (1000 + n::bigint * 7919 % 5000000) as size,
      (now() - (${files} - n) * (interval '300 days' / ${files}))::timestamptz(3) as at
    from generate_series(1, ${files}) n
  ) as one
  join (values (0, 'image/jpeg', 'jpg'), (1, 'application/pdf', 'pdf'), (2, 'image/png', 'png'),
      (3, 'image/jpeg', 'jpg'), (4, 'video/mp4', 'mp4')) as type (digit, content_type, extension) on type.digit = n % 5
  join (select id, row_number() over (order by id) - 1 as number from principals
      where tenant_id = ${tenant} and kind = 'USER') as uploader on uploader.number = n % ${uploaders}`

const statements = [
  (tenant) => `
    insert into principals (tenant_id, id, kind, subject, name, email, created_at)
    select ${tenant}, id, 'USER', id, 'Person ' || n, 'person' || n || '@example.com', now()
    from (select n, uuidv7() as id from generate_series(1, ${uploaders}) n) as one`,
  seeded,
  (tenant) => `
    insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, etag, created_at)
    select ${tenant}, blob_id, object_key, 'ready', 1, size, content_type, md5(blob_id::text), at from seeded`,
  (tenant) => `
    insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by,
      uploaded_at, updated_at, soft_deleted_at, soft_deleted_by)
    select ${tenant}, file_id, name, content_type, size, 1, uploaded_by, at, at, deleted_at,
      case when deleted_at is not null then uploaded_by end from seeded`,
  (tenant) => `
    insert into file_versions (tenant_id, file_id, version, blob_id, original_file_name, content_type, byte_size,
      created_by, created_at)
    select ${tenant}, file_id, 1, blob_id, name, content_type, size, uploaded_by, at from seeded`,
  (tenant) => `
    insert into audit_log (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, subject_name, payload)
    select ${tenant}, uuidv7(at - now()), -(random() * 1e15)::bigint, at, uploaded_by, 'file.uploaded', 'file', file_id, name,
      jsonb_build_object('version', 1, 'contentType', content_type, 'byteSize', size) from seeded where n % 4 = 0`,
  (tenant) => `
    update tenant_usage set file_count = counted.live, trashed_count = counted.trashed,
      version_count = counted.all, stored_bytes = counted.bytes
    from (select count(*) filter (where deleted_at is null) as live, count(deleted_at) as trashed, count(*) as all,
      sum(size) as bytes from seeded) as counted
    where tenant_id = ${tenant}`,
  () => 'drop table seeded',
]

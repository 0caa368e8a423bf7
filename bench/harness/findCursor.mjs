import { postgres, product } from './serverPackage.mjs'

/** The cursor behind the first `rows` live files of a tenant. */
export async function findCursor({ adminUrl }, tenant, rows) {
  const { encodeCursor } = await product('domain/paging/cursor.js')
  const sql = postgres(adminUrl, { max: 1 })
  try {
    const [row] = await sql`
      select id, uploaded_at from files where tenant_id = ${tenant.id} and soft_deleted_at is null
      order by uploaded_at desc, id desc offset ${rows - 1} limit 1`
    return encodeCursor('files', [row.uploaded_at.toISOString(), row.id])
  } finally {
    await sql.end()
  }
}

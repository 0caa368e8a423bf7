import { sql } from 'drizzle-orm'
import { files, fileVersions } from '../../database/tables/fileTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import { readRows } from './readInPages.ts'

const toldFiles = 5

/** The versions that are these bytes, in words: what an operator has to tell people about. */
export async function usersOfBlob(database: TenantDatabase, tenantId: string, blobId: string): Promise<string> {
  const rows = await readRows<{ name: string; id: string; version: number }>(
    database,
    tenantId,
    sql`select f.original_file_name as "name", f.id, v.version from ${fileVersions} v
      join ${files} f on f.tenant_id = v.tenant_id and f.id = v.file_id
      where v.tenant_id = ${tenantId} and v.blob_id = ${blobId}::uuid
      order by f.id, v.version limit ${toldFiles + 1}`,
  )
  const told = rows.slice(0, toldFiles).map(({ name, id, version }) => `version ${version} of "${name}" (${id})`)
  if (rows.length > toldFiles) told.push('others')
  return told.length > 0 ? told.join(', ') : `blob ${blobId}, which no file uses`
}

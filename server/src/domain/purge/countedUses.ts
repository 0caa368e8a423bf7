import { type SQL, sql } from 'drizzle-orm'
import { attachments, files } from '../../database/tables/fileTables.ts'
import { uploads } from '../../database/tables/uploadTables.ts'

/** Of a file in a statement that reads `files`: how many rows attach it, whatever its counter says. */
export const countedAttachments: SQL<number> = sql`(select count(*) from ${attachments}
  where ${attachments.tenantId} = ${files.tenantId} and ${attachments.fileId} = ${files.id})`

/** How many uploads of a new version of it are under way. */
export const countedIntents: SQL<number> = sql`(select count(*) from ${uploads}
  where ${uploads.tenantId} = ${files.tenantId} and ${uploads.targetFileId} = ${files.id} and ${uploads.state} = 'PENDING')`

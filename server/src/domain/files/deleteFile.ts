import { ensurePrincipal, recordChange } from '../audit/recordChange.ts'
import { type Context, inTransaction } from '../context.ts'
import { changeUsage } from '../tenants/usage.ts'
import { fileAsItIs, lockFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'

/** Puts a file into the trash; the bucket is not touched. Deleting what is already there answers the same. */
export async function deleteFile(ctx: Context, id: string): Promise<File> {
  return inTransaction(ctx, async (tx) => {
    const { softDeletedAt, originalFileName: name } = await lockFile(tx, id)
    if (softDeletedAt !== null) return fileAsItIs(tx, id)
    await ensurePrincipal(tx, ctx)
    const now = ctx.now()
    const file = await updateFile(tx, id, { softDeletedAt: now, softDeletedBy: ctx.principal.id, updatedAt: now })
    await changeUsage(tx, { fileCount: -1, trashedCount: 1 })
    await recordChange(tx, ctx, 'file.deleted', { id, name })
    return file
  })
}

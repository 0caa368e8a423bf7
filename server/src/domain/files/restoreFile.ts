import { atOnce } from '../atOnce.ts'
import { type Context, inTransaction } from '../context.ts'
import { recordChange } from '../journal/recordChange.ts'
import { changeUsage } from '../tenants/usage.ts'
import { fileAsItIs, lockFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'

/** Takes a file out of the trash. Restoring what is not in it answers the same. */
export async function restoreFile(ctx: Context, id: string): Promise<File> {
  return inTransaction(ctx, async (tx) => {
    const { softDeletedAt, originalFileName: name } = await lockFile(tx, id)
    if (softDeletedAt === null) return fileAsItIs(tx, id)
    const [file] = await atOnce(
      () => updateFile(tx, id, { softDeletedAt: null, softDeletedBy: null, updatedAt: ctx.now() }),
      () => changeUsage(tx, { fileCount: 1, trashedCount: -1 }),
      () => recordChange(tx, ctx, 'file.restored', { id, name }),
    )
    return file
  })
}

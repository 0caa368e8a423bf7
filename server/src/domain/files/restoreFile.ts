import { change, unchanged } from '../change.ts'
import type { Context } from '../context.ts'
import { readFile, lockFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'

/** Restores a file from the trash. Idempotent. */
export async function restoreFile(ctx: Context, id: string): Promise<File> {
  return change(ctx, async (tx) => {
    const { softDeletedAt, originalFileName: name } = await lockFile(tx, id)
    if (softDeletedAt === null) return unchanged(await readFile(tx, id))
    const file = await updateFile(tx, id, { softDeletedAt: null, softDeletedBy: null, updatedAt: ctx.now() })
    const usage = { fileCount: 1, trashedCount: -1 }
    return { answer: file, usage, records: [{ action: 'file.restored', id, name }] }
  })
}

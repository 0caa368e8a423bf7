import { change, unchanged } from '../change.ts'
import { latest } from '../clocks.ts'
import type { Context } from '../context.ts'
import { limits } from '../limits.ts'
import { FileInUse } from '../refusals.ts'
import { attachmentsOfFile } from './attachments/listAttachments.ts'
import { readFile, lockFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'
import { refuseIfHeld } from './holdFile.ts'

/**
 * Moves a file to the trash. The bucket is not touched. Idempotent. Throws `FileInUse` if the file is attached, and
 * `Conflict` if it is under legal hold.
 */
export async function deleteFile(ctx: Context, id: string): Promise<File> {
  return change(ctx, async (tx) => {
    const { databaseNow, ...locked } = await lockFile(tx, id)
    if (locked.softDeletedAt !== null) return unchanged(await readFile(tx, id))
    if (locked.attachmentCount > 0) {
      throw new FileInUse(await attachmentsOfFile(tx, id, limits.toldAttachments), locked.attachmentCount)
    }
    refuseIfHeld(locked)
    const now = ctx.now()
    // The later of two clocks, so that a slow clock does not shorten the time in the trash.
    const softDeletedAt = latest(now, databaseNow)
    const file = await updateFile(tx, id, { softDeletedAt, softDeletedBy: ctx.principal.id, updatedAt: now })
    const usage = { fileCount: -1, trashedCount: 1 }
    return { answer: file, usage, records: [{ action: 'file.soft_deleted', id, name: locked.originalFileName }] }
  })
}

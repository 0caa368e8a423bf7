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
 * Puts a file into the trash; the bucket is not touched. Deleting what is already there answers the same. Refuses with
 * `FileInUse` a file that is attached, with `Conflict` one under legal hold.
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
    // By the later of two clocks: one that is behind must not shorten the time in the trash.
    const softDeletedAt = latest(now, databaseNow)
    const file = await updateFile(tx, id, { softDeletedAt, softDeletedBy: ctx.principal.id, updatedAt: now })
    const usage = { fileCount: -1, trashedCount: 1 }
    return { answer: file, usage, records: [{ action: 'file.soft_deleted', id, name: locked.originalFileName }] }
  })
}

import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change } from '../../change.ts'
import type { Context } from '../../context.ts'
import { attachmentsOfFile } from '../../files/attachments/listAttachments.ts'
import { readFile, type LockedFile, lockFile } from '../../files/changeFile.ts'
import type { File } from '../../files/findFiles.ts'
import { refuseIfHeld } from '../../files/holdFile.ts'
import { type FileVersion, findVersions } from '../../files/listVersions.ts'
import { limits } from '../../limits.ts'
import { Conflict, FileInUse, NotFound } from '../../refusals.ts'
import { enqueueJob } from '../runs/requestRun.ts'
import { hasPendingIntent } from './purgeCooledFiles.ts'
import { purgeFileRows } from './purgeFileRows.ts'

/**
 * Purges a file in the trash before its time: it cannot be restored, and its bytes are released. Throws `Conflict` if
 * the file is not in the trash, is under hold, or has a pending upload.
 */
export async function purgeFile(
  ctx: Context,
  id: string,
): Promise<{ readonly file: File; readonly version: FileVersion }> {
  return change(ctx, async (tx) => {
    const locked = await lockFile(tx, id)
    await refuseUnlessPurgeable(tx, locked)
    const file = await readFile(tx, id)
    const [version] = await findVersions(tx, [{ fileId: id, version: file.version }])
    if (!version) throw new NotFound('file')
    const purged = await purgeFileRows(tx, ctx, [locked])
    await enqueueJob(tx, 'delete_blobs', { tenantId: tx.tenantId }, null)
    return { ...purged, answer: { file: { ...file, purgedAt: ctx.now() }, version } }
  })
}

async function refuseUnlessPurgeable(tx: Transaction, file: LockedFile): Promise<void> {
  // The rows are counted too, as in the scheduled purge, so that a wrong counter does not delete the versions of a file
  // in use.
  const attachments = await attachmentsOfFile(tx, file.id, limits.toldAttachments)
  const count = Math.max(file.attachmentCount, attachments.length)
  if (count > 0) throw new FileInUse(attachments, count)
  if (file.softDeletedAt === null) throw new Conflict('NOT_TRASHED', 'The file is not in the trash. Delete it first.')
  refuseIfHeld(file)
  if (await hasPendingIntent(tx, file.id))
    throw new Conflict('VERSION_PENDING', 'A new version of the file is being uploaded.')
}

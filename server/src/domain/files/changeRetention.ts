import { change, unchanged } from '../change.ts'
import type { Context } from '../context.ts'
import { readFile, lockLiveFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'

export type Retention = File['retention']

/**
 * Sets whether a file is kept until it is deleted or only while it is attached. A file without attachments is not moved
 * to the trash here. Only the removal of its last attachment does that.
 */
export async function changeRetention(ctx: Context, id: string, retention: Retention): Promise<File> {
  return change(ctx, async (tx) => {
    const { retention: before, originalFileName: name } = await lockLiveFile(tx, id)
    if (before === retention) return unchanged(await readFile(tx, id))
    const file = await updateFile(tx, id, { retention, updatedAt: ctx.now() })
    const payload = { from: before, to: retention }
    return { answer: file, records: [{ action: 'file.retention_changed', id, name, payload }] }
  })
}

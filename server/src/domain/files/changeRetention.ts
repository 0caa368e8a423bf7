import { type Context, inTransaction } from '../context.ts'
import { recordChange } from '../journal/recordChange.ts'
import { fileAsItIs, lockLiveFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'

export type Retention = File['retention']

/**
 * Says whether a file stays for its own sake or only while something is attached to it. A file that nothing is attached
 * to stays where it is: it is the detachment of the last one that puts it into the trash.
 */
export async function changeRetention(ctx: Context, id: string, retention: Retention): Promise<File> {
  return inTransaction(ctx, async (tx) => {
    const { retention: before, originalFileName: name } = await lockLiveFile(tx, id)
    if (before === retention) return fileAsItIs(tx, id)
    const file = await updateFile(tx, id, { retention, updatedAt: ctx.now() })
    await recordChange(tx, ctx, 'file.retention_changed', { id, name, payload: { from: before, to: retention } })
    return file
  })
}

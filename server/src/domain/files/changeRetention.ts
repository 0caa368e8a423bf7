import { change, unchanged } from '../change.ts'
import type { Context } from '../context.ts'
import { readFile, lockLiveFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'

export type Retention = File['retention']

/**
 * Says whether a file stays for its own sake or only while something is attached to it. A file that nothing is attached
 * to stays where it is: it is the detachment of the last one that puts it into the trash.
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

import { atOnce } from '../atOnce.ts'
import { type Context, inTransaction } from '../context.ts'
import { recordChange } from '../journal/recordChange.ts'
import { fileAsItIs, lockLiveFile, updateFile } from './changeFile.ts'
import { acceptFileName } from './fileName.ts'
import type { File } from './findFiles.ts'

/** Gives a live file another name. Its versions keep the names they were uploaded under. */
export async function renameFile(ctx: Context, id: string, newName: string): Promise<File> {
  const name = acceptFileName(newName)
  return inTransaction(ctx, async (tx) => {
    const { originalFileName: oldName } = await lockLiveFile(tx, id)
    if (oldName === name) return fileAsItIs(tx, id)
    const [file] = await atOnce(
      () => updateFile(tx, id, { originalFileName: name, updatedAt: ctx.now() }),
      () => recordChange(tx, ctx, 'file.renamed', { id, name, payload: { from: oldName, to: name } }),
    )
    return file
  })
}

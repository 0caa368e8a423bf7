import { change, unchanged } from '../change.ts'
import type { Context } from '../context.ts'
import { readFile, lockLiveFile, updateFile } from './changeFile.ts'
import { acceptFileName } from './fileName.ts'
import type { File } from './findFiles.ts'

/** Renames a live file. Its versions keep the names under which they were uploaded. */
export async function renameFile(ctx: Context, id: string, newName: string): Promise<File> {
  const name = acceptFileName(newName)
  return change(ctx, async (tx) => {
    const { originalFileName: oldName } = await lockLiveFile(tx, id)
    if (oldName === name) return unchanged(await readFile(tx, id))
    const file = await updateFile(tx, id, { originalFileName: name, updatedAt: ctx.now() })
    return { answer: file, records: [{ action: 'file.renamed', id, name, payload: { from: oldName, to: name } }] }
  })
}

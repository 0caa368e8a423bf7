import type { Context } from '../context.ts'
import type { File } from '../files/findFiles.ts'
import { changeAttachment } from './changeAttachment.ts'
import type { Owner } from './owner.ts'

/**
 * Takes an attachment away; one that is not there is answered the same. The last one of a file that is kept only while
 * attached puts the file into the trash, in the same statement.
 */
export const detachFile = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'detach', fileId, owner)).file

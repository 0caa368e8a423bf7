import type { Context } from '../context.ts'
import type { File } from '../files/findFiles.ts'
import { changeAttachment } from './changeAttachment.ts'
import type { Owner } from './owner.ts'

/** Makes a file the only one in a slot of an owner, in one step; whatever was there is detached. */
export const replaceAttachment = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'replace', fileId, owner)).file

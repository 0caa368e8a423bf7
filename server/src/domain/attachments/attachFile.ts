import type { Context } from '../context.ts'
import type { File } from '../files/findFiles.ts'
import { changeAttachment } from './changeAttachment.ts'
import type { Owner } from './owner.ts'

/**
 * Says that a row of the host application uses a file, which cannot be deleted from then on. Attaching twice answers the
 * same and records once. Refuses with `Conflict` a file in the trash.
 */
export const attachFile = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'attach', fileId, owner)).file

import { sql } from 'drizzle-orm'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change, recordedByDatabase } from '../../change.ts'
import type { Context } from '../../context.ts'
import { Conflict, NotFound } from '../../refusals.ts'
import { readFile } from '../changeFile.ts'
import type { File } from '../findFiles.ts'
import { acceptOwner, type Owner, refuseUnplain, refuseUnstorable } from './owner.ts'

type Outcome = 'ATTACHED' | 'ALREADY' | 'DETACHED' | 'NOT_ATTACHED' | 'TRASHED' | 'NO_FILE'

const calls = {
  attach: sql`attach_as`,
  detach: sql`detach_as`,
  replace: sql`replace_as`,
}

/**
 * Calls the database function that does the work, and writes the audit entry and the event, for us as for a host
 * application in the same database. Answers with the file as it is afterwards, and what was done.
 */
async function changeAttachment(
  ctx: Context,
  verb: keyof typeof calls,
  fileId: string,
  asked: Owner,
): Promise<{ readonly file: File; readonly outcome: Outcome }> {
  // An owner that is refused today may have been attached before; it can still be detached.
  if (verb === 'detach') refuseUnstorable(asked)
  else acceptOwner(asked)
  const { ownerType, ownerId, slot } = asked
  return change(ctx, async (tx) => {
    const origin = JSON.stringify(ctx.origin)
    const by = sql`${ctx.principal.id}::uuid, ${origin}::text::jsonb, ${ctx.now().toISOString()}::timestamptz`
    const owner = sql`${ownerType}::text, ${ownerId}::text, ${slot}::text`
    const outcome = await call(tx, sql`${calls[verb]}(${by}, ${fileId}::uuid, ${owner})`)
    if (outcome === 'NO_FILE' || outcome === 'NOT_ATTACHED') refuseUnplain(asked)
    if (outcome === 'NO_FILE') throw new NotFound('file')
    if (outcome === 'TRASHED' && verb !== 'detach')
      throw new Conflict('TRASHED', 'The file is in the trash. Restore it first.')
    return recordedByDatabase({ file: await readFile(tx, fileId), outcome })
  })
}

async function call(tx: Transaction, expression: ReturnType<typeof sql>): Promise<Outcome> {
  const [row] = await tx.db.execute(sql`select ${expression} as outcome`)
  return (row as { outcome: Outcome }).outcome
}

/**
 * Says that a row of the host application uses a file, which cannot be deleted from then on. Attaching twice answers the
 * same and records once. Refuses with `Conflict` a file in the trash.
 */
export const attachFile = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'attach', fileId, owner)).file

/**
 * Takes an attachment away; one that is not there is answered the same. The last one of a file that is kept only while
 * attached puts the file into the trash, in the same statement.
 */
export const detachFile = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'detach', fileId, owner)).file

/** Makes a file the only one in a slot of an owner, in one step; whatever was there is detached. */
export const replaceAttachment = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'replace', fileId, owner)).file

import { sql } from 'drizzle-orm'
import { changeByFunction } from '../../change.ts'
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
 * Calls the database function that changes the attachment and writes the audit entry and the event. A host application in the
 * same Postgres calls the same function. Returns the file after the change, and the outcome.
 */
async function changeAttachment(
  ctx: Context,
  verb: keyof typeof calls,
  fileId: string,
  asked: Owner,
): Promise<{ readonly file: File; readonly outcome: Outcome }> {
  // An attachment made under older rules can have an owner that is refused today. It can still be detached.
  if (verb === 'detach') refuseUnstorable(asked)
  else acceptOwner(asked)
  const { ownerType, ownerId, slot } = asked
  const origin = JSON.stringify(ctx.origin)
  const by = sql`${ctx.principal.id}::uuid, ${origin}::text::jsonb, ${ctx.now().toISOString()}::timestamptz`
  const owner = sql`${ownerType}::text, ${ownerId}::text, ${slot}::text`
  const call = sql<Outcome>`${calls[verb]}(${by}, ${fileId}::uuid, ${owner})`
  return changeByFunction(ctx, call, async (tx, outcome) => {
    if (outcome === 'NO_FILE' || outcome === 'NOT_ATTACHED') refuseUnplain(asked)
    if (outcome === 'NO_FILE') throw new NotFound('file')
    if (outcome === 'TRASHED' && verb !== 'detach')
      throw new Conflict('TRASHED', 'The file is in the trash. Restore it first.')
    return { file: await readFile(tx, fileId), outcome }
  })
}

/**
 * Records that a row of the host application uses a file. The file then cannot be deleted. Attaching twice returns the same
 * answer and writes one record. Throws `Conflict` if the file is in the trash.
 */
export const attachFile = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'attach', fileId, owner)).file

/**
 * Removes an attachment. Succeeds if the attachment does not exist. Removing the last attachment of a WHILE_ATTACHED file also
 * moves the file to the trash, in the same statement.
 */
export const detachFile = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'detach', fileId, owner)).file

/** Makes a file the only one in a slot of an owner and detaches the others, in one statement. */
export const replaceAttachment = async (ctx: Context, fileId: string, owner: Owner): Promise<File> =>
  (await changeAttachment(ctx, 'replace', fileId, owner)).file

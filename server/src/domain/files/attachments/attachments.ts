import { sql } from 'drizzle-orm'
import { changeByFunction } from '../../change.ts'
import type { Context } from '../../context.ts'
import { type Condition, given, nothing } from '../../paging/relationalPage.ts'
import { Conflict, Invalid, NotFound } from '../../refusals.ts'
import { characterCount, isPlainText } from '../../text.ts'
import { readFile } from '../changeFile.ts'
import type { File } from '../findFiles.ts'

/** A row of a host application in its own terms, and the role of the file in that row. */
export interface Owner {
  readonly ownerType: string
  readonly ownerId: string
  readonly slot: string
}

/** The slot of an attachment without an explicit slot. */
export const usualSlot = 'default'

/** Maximum lengths in characters. The check constraints of `attachments` enforce the same values. */
export const ownerCharacters = { ownerType: 100, ownerId: 200, slot: 100 } as const

/** Throws `Invalid` if the owner is empty, too long, or not plain text. Ids of other systems are not altered. */
export function acceptOwner(owner: Owner): void {
  refuseUnstorable(owner)
  refuseUnplain(owner)
}

/** Refuses an owner that no version of Filegraph could have stored. */
export function refuseUnstorable(owner: Owner): void {
  for (const field of ownerFields) {
    const length = characterCount(owner[field])
    const most = ownerCharacters[field]
    if (length < 1 || length > most) {
      throw new Invalid(field, `Must have between 1 and ${most} characters.`, length < 1 ? 1 : most)
    }
    if (!isStorable(owner[field])) throw new Invalid(field, 'Control characters are not accepted.')
  }
}

export function refuseUnplain(owner: Owner): void {
  const field = ownerFields.find((name) => !isPlainText(owner[name]))
  if (field) throw new Invalid(field, 'Control and direction-changing characters are not accepted.')
}

const ownerFields = ['ownerType', 'ownerId', 'slot'] as const

/** The attachments of an owner. A null `slot` matches all slots. A malformed owner matches none. */
export function attachmentsOf({ ownerType, ownerId, slot }: OwnerOrSlot): Condition {
  const isPossible = [ownerType, ownerId, slot ?? ownerId].every(isOwnerText)
  return isPossible ? given({ ownerType, ownerId, slot }) : nothing
}

interface OwnerOrSlot extends Omit<Owner, 'slot'> {
  readonly slot: string | null
}

const isOwnerText = (text: string): boolean =>
  text !== '' && characterCount(text) <= ownerCharacters.ownerId && isStorable(text)

const isStorable = (text: string) => !/\p{Cc}|\p{Cs}/u.test(text)

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

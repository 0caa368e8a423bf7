import { change, unchanged } from '../change.ts'
import type { Context } from '../context.ts'
import { lookForCooledFiles } from '../lookSoon.ts'
import { Conflict, Invalid } from '../refusals.ts'
import { characterCount, isPlainText } from '../text.ts'
import { readFile, lockFile, updateFile } from './changeFile.ts'
import type { File } from './findFiles.ts'

export const holdReasonCharacters = 500

/**
 * Places a legal hold on a file, live or in the trash. The file can be neither deleted nor purged until the hold is
 * released. Idempotent: a repeated call keeps the first reason.
 */
export async function holdFile(ctx: Context, id: string, reason: string): Promise<File> {
  const holdReason = acceptReason(reason)
  return change(ctx, async (tx) => {
    const { heldAt, originalFileName: name } = await lockFile(tx, id)
    if (heldAt !== null) return unchanged(await readFile(tx, id))
    const now = ctx.now()
    const file = await updateFile(tx, id, { heldAt: now, heldBy: ctx.principal.id, holdReason, updatedAt: now })
    return { answer: file, records: [{ action: 'file.held', id, name, payload: { reason: holdReason } }] }
  })
}

/** Releases the legal hold. Idempotent. A file in the trash is purged when its time is over. */
export async function releaseFile(ctx: Context, id: string): Promise<File> {
  return change(ctx, async (tx) => {
    const { heldAt, originalFileName: name } = await lockFile(tx, id)
    if (heldAt === null) return unchanged(await readFile(tx, id))
    const file = await updateFile(tx, id, { heldAt: null, heldBy: null, holdReason: null, updatedAt: ctx.now() })
    await lookForCooledFiles(tx, ctx.now())
    return { answer: file, records: [{ action: 'file.released', id, name }] }
  })
}

export function refuseIfHeld({ heldAt }: { readonly heldAt: Date | null }): void {
  if (heldAt !== null) throw new Conflict('FILE_HELD', 'The file is under legal hold.')
}

function acceptReason(text: string): string {
  const reason = text.normalize('NFC').trim()
  const length = characterCount(reason)
  if (length < 1 || length > holdReasonCharacters) {
    const message = `A hold needs a reason of 1 to ${holdReasonCharacters} characters.`
    throw new Invalid('reason', message, length < 1 ? 1 : holdReasonCharacters)
  }
  // A longer text can contain line breaks and tabs.
  if (!isPlainText(reason.replace(/[\t\n]/g, ' '))) {
    throw new Invalid('reason', 'Control and direction-changing characters are not accepted.')
  }
  return reason
}

import { and, eq, getColumns, isNull } from 'drizzle-orm'
import { databaseClock } from '../../database/lockRows.ts'
import { files } from '../../database/tables/fileTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { change, unchanged } from '../change.ts'
import { latest } from '../clocks.ts'
import type { Context } from '../context.ts'
import { limits } from '../limits.ts'
import { lookForCooledFiles } from '../lookSoon.ts'
import { Conflict, FileInUse, Invalid, NotFound } from '../refusals.ts'
import { characterCount, isPlainText } from '../text.ts'
import { together } from '../together.ts'
import { attachmentsOfFile } from './attachments/listAttachments.ts'
import { acceptFileName } from './fileName.ts'
import { type File, findFileInAnyState } from './findFiles.ts'

export type FileColumns = typeof files.$inferSelect

/** A file whose row is locked until the end of the transaction, with the time by the database's clock. */
export type LockedFile = FileColumns & { readonly databaseNow: Date }

/** Locks the row of a file, live or in the trash. */
export async function lockFile(tx: Transaction, id: string): Promise<LockedFile> {
  const [file] = await tx.db
    .select({ ...getColumns(files), databaseNow: databaseClock })
    .from(files)
    .where(and(tx.inTenant(files), eq(files.id, id), isNull(files.purgedAt)))
    .for('update')
  if (!file) throw new NotFound('file')
  return file
}

/** Locks the row of a file that is not in the trash. */
export async function lockLiveFile(tx: Transaction, id: string): Promise<LockedFile> {
  const file = await lockFile(tx, id)
  if (file.softDeletedAt !== null) throw new NotFound('file')
  return file
}

/** Changes a locked file and returns it. */
export async function updateFile(tx: Transaction, id: string, columns: Partial<FileColumns>): Promise<File> {
  const { file } = await together({
    updated: () =>
      tx.db
        .update(files)
        .set(columns)
        .where(and(tx.inTenant(files), eq(files.id, id))),
    file: () => readFile(tx, id),
  })
  return file
}

export async function readFile(tx: Transaction, id: string): Promise<File> {
  const file = await findFileInAnyState(tx, id)
  if (!file) throw new NotFound('file')
  return file
}

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

export type Retention = File['retention']

/**
 * Sets whether a file is kept until it is deleted or only while it is attached. A file without attachments is not moved
 * to the trash here. Only the removal of its last attachment does that.
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

/**
 * Moves a file to the trash. The bucket is not touched. Idempotent. Throws `FileInUse` if the file is attached, and
 * `Conflict` if it is under legal hold.
 */
export async function deleteFile(ctx: Context, id: string): Promise<File> {
  return change(ctx, async (tx) => {
    const { databaseNow, ...locked } = await lockFile(tx, id)
    if (locked.softDeletedAt !== null) return unchanged(await readFile(tx, id))
    if (locked.attachmentCount > 0) {
      throw new FileInUse(await attachmentsOfFile(tx, id, limits.toldAttachments), locked.attachmentCount)
    }
    refuseIfHeld(locked)
    const now = ctx.now()
    // The later of two clocks, so that a slow clock does not shorten the time in the trash.
    const softDeletedAt = latest(now, databaseNow)
    const file = await updateFile(tx, id, { softDeletedAt, softDeletedBy: ctx.principal.id, updatedAt: now })
    const usage = { fileCount: -1, trashedCount: 1 }
    return { answer: file, usage, records: [{ action: 'file.soft_deleted', id, name: locked.originalFileName }] }
  })
}

/** Restores a file from the trash. Idempotent. */
export async function restoreFile(ctx: Context, id: string): Promise<File> {
  return change(ctx, async (tx) => {
    const { softDeletedAt, originalFileName: name } = await lockFile(tx, id)
    if (softDeletedAt === null) return unchanged(await readFile(tx, id))
    const file = await updateFile(tx, id, { softDeletedAt: null, softDeletedBy: null, updatedAt: ctx.now() })
    const usage = { fileCount: 1, trashedCount: -1 }
    return { answer: file, usage, records: [{ action: 'file.restored', id, name }] }
  })
}

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

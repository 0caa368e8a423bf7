import { and, eq, getColumns, isNull } from 'drizzle-orm'
import { databaseClock } from '../../database/lockRows.ts'
import { files } from '../../database/tables/fileTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { NotFound } from '../refusals.ts'
import { together } from '../together.ts'
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
export async function updateFile(tx: Transaction, id: string, change: Partial<FileColumns>): Promise<File> {
  const { file } = await together({
    updated: () =>
      tx.db
        .update(files)
        .set(change)
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

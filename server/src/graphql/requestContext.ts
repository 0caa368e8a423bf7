import DataLoader from 'dataloader'
import type { Transaction } from '../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../domain/context.ts'
import { type Attachment, listAttachments } from '../domain/files/attachments/listAttachments.ts'
import { type File, findFiles, findFilesAndTrash } from '../domain/files/findFiles.ts'
import { type FileVersion, findVersions, listVersions } from '../domain/files/listVersions.ts'
import { findPrincipals, type KnownPrincipal } from '../domain/identity/people/findPrincipals.ts'
import { type AuditEntry, findAuditEntries } from '../domain/journal/listAuditLog.ts'
import type { Page, PageArguments } from '../domain/paging/page.ts'
import { Unauthenticated } from '../domain/refusals.ts'
import { newTally, type RequestTally } from '../domain/requestTally.ts'
import { parseVersionKey, versionKey } from './globalId.ts'

/** Shared by all resolvers of one request. */
export interface RequestContext {
  /** Null without credentials. The request can then only read the schema and `__typename`. */
  readonly caller: Context | null
  readonly loaders: Loaders | null
  readonly tally: RequestTally
}

export const contextFor = (caller: Context | null, tally = newTally()): RequestContext => ({
  caller,
  tally,
  loaders: caller && createLoaders(caller),
})

/** Returns the caller. For fields that require a role. */
export function callerOf({ caller }: RequestContext): Context {
  if (!caller) throw new Unauthenticated()
  return caller
}

export function loadersOf({ loaders }: RequestContext): Loaders {
  if (!loaders) throw new Unauthenticated()
  return loaders
}

/** One loader by file id for each set of page arguments. */
type PagesOf<T> = (args: PageArguments) => DataLoader<string, Page<T>>

/** Batches the reads of one request, so that a page costs a fixed number of statements. */
interface Loaders {
  readonly files: DataLoader<string, File | null>
  readonly filesAndTrash: DataLoader<string, File | null>
  readonly versions: DataLoader<string, FileVersion | null>
  readonly principals: DataLoader<string, KnownPrincipal | null>
  readonly auditEntries: DataLoader<string, AuditEntry | null>
  /** Loads the same page of versions for several files. */
  readonly versionPages: PagesOf<FileVersion>
  /** Loads the same page of attachments for several files. */
  readonly attachmentPages: PagesOf<Attachment>
}

function createLoaders(ctx: Context): Loaders {
  const byId = <T extends { readonly id: string }>(find: (tx: Transaction, ids: readonly string[]) => Promise<T[]>) =>
    byKey(find, (row) => row.id)
  const byKey = <T>(find: (tx: Transaction, keys: readonly string[]) => Promise<T[]>, keyOf: (row: T) => string) =>
    new DataLoader<string, T | null>(async (keys) => {
      const rows = new Map((await readingOnce(ctx, (tx) => find(tx, keys))).map((row) => [keyOf(row), row]))
      return keys.map((key) => rows.get(key) ?? null)
    })
  return {
    files: byId(findFiles),
    filesAndTrash: byId(findFilesAndTrash),
    versions: byKey(findVersionsByKey, (version) => versionKey(version.fileId, version.number)),
    principals: byId(findPrincipals),
    auditEntries: byId(findAuditEntries),
    versionPages: pagesOf(ctx, listVersions),
    attachmentPages: pagesOf(ctx, listAttachments),
  }
}

const findVersionsByKey = (tx: Transaction, keys: readonly string[]) =>
  findVersions(
    tx,
    keys.map(parseVersionKey).filter((key) => key !== null),
  )

function pagesOf<T>(
  ctx: Context,
  list: (tx: Transaction, fileIds: readonly string[], args: PageArguments) => Promise<Page<T>[]>,
): PagesOf<T> {
  const loaders = new Map<string, DataLoader<string, Page<T>>>()
  return (args) => {
    const key = JSON.stringify([args.first, args.after, args.last, args.before])
    const known = loaders.get(key)
    if (known) return known
    const loader = new DataLoader<string, Page<T>>((fileIds) => readingOnce(ctx, (tx) => list(tx, fileIds, args)))
    loaders.set(key, loader)
    return loader
  }
}

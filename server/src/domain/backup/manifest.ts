import { z } from 'zod'

/** The version of the layout of a backup folder. */
export const backupFormat = 1

const table = z.object({
  name: z.string().regex(/^\w+$/),
  columns: z.array(z.string()).readonly(),
  rows: z.number(),
  digest: z.string(),
})

/** Describes a whole backup. It is written last, so a folder without it is a backup that did not finish. */
export const manifestShape = z
  .object({
    format: z.literal(backupFormat),
    id: z.string(),
    /** The time of the snapshot. Later changes are not in the backup. */
    at: z.string(),
    finishedAt: z.string(),
    /** The version of PostgreSQL that wrote the rows. */
    postgres: z.string(),
    installation: z.object({ id: z.string(), generation: z.number() }).readonly().nullable(),
    /** The migrations that the tables have, oldest first. */
    migrations: z.array(z.string()).readonly(),
    journal: z.object({ tenants: z.number(), changes: z.number(), digest: z.string() }).readonly(),
    tables: z.array(table.readonly()).readonly(),
    objects: z.object({ count: z.number(), bytes: z.number(), digest: z.string() }).readonly(),
    /** Keys whose bytes were missing or damaged in the bucket. A restore cannot bring them back. */
    missing: z.array(z.string()).readonly(),
  })
  .readonly()
export type Manifest = z.infer<typeof manifestShape>

/** One object of a backup, one line of `objects.jsonl.gz`, in the order of the keys. */
export const objectShape = z
  .object({
    key: z.string(),
    byteSize: z.number(),
    /** Computed from the bytes when they were copied. */
    sha256: z.string(),
    /** As in the row of the blob. */
    etag: z.string().nullable(),
    contentType: z.string(),
  })
  .readonly()
export type BackedUpObject = z.infer<typeof objectShape>

/** The backup or its target cannot be used. The message is a sentence for people. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
}

export const countOf = ({ tables }: Manifest, name: string): number =>
  tables.find((one) => one.name === name)?.rows ?? 0

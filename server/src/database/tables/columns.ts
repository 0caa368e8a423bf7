import { sql } from 'drizzle-orm'
import { bigint, customType, timestamp, uuid } from 'drizzle-orm/pg-core'

/** Bound by the application, to the millisecond, so that a cursor carries a time without loss. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

export const bytes = (name: string) => bigint(name, { mode: 'number' })

/**
 * A table with this column is a tenant table: it stands first in its primary key, every unique key and every foreign key,
 * and row-level security is forced on it. Tables without it hold what has to be known before the tenant is; where such a
 * look-up points to a tenant its column is called `tenant`. `catalogue.test.ts` holds both.
 */
export const tenantId = () => uuid('tenant_id').notNull()

export const bytea = customType<{ data: Buffer; driverData: Buffer | string }>({
  dataType: () => 'bytea',
  fromDriver: (value) => (typeof value === 'string' ? Buffer.from(value.replace(/^\\x/, ''), 'hex') : value),
})

/** Sorts by code point, so that an index means the same under every locale of a database server. */
export const foldedText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

/** The text of a check constraint. */
export const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`)

/**
 * The text of a check constraint: 1 to `most` characters without control characters, line separators, and the characters
 * that change the direction of text. The same class as `unsafeCharacters` in `domain/plainText.ts`.
 */
export const isPlainText = (column: string, most: number) =>
  sql.raw(String.raw`${column} ~ '^[^\u0001-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]{1,${most}}$'`)

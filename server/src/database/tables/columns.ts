import { sql } from 'drizzle-orm'
import { bigint, customType, timestamp, uuid } from 'drizzle-orm/pg-core'

/** A time that the application binds. It has millisecond precision, so that a cursor carries it without loss. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

export const bytes = (name: string) => bigint(name, { mode: 'number' })

/**
 * A table with this column is a tenant table. The column comes first in its primary key, every unique key and every
 * foreign key, and row-level security is forced on the table. Tables without it hold data that is needed before the
 * tenant is known; their reference to a tenant is called `tenant`. `catalogue.test.ts` checks both rules.
 */
export const tenantId = () => uuid('tenant_id').notNull()

/**
 * The predicate of an index over all tenants. It holds for every row, because the nil UUID is no tenant. Only statements across
 * tenants contain it, so Postgres cannot choose such an index for a statement in one tenant.
 */
export const inAnyTenant = sql.raw(`tenant_id <> '00000000-0000-0000-0000-000000000000'`)

export const bytea = customType<{ data: Buffer; driverData: Buffer | string }>({
  dataType: () => 'bytea',
  fromDriver: (value) => (typeof value === 'string' ? Buffer.from(value.replace(/^\\x/, ''), 'hex') : value),
})

/** Text that sorts by code point, so that an index has the same order under every locale. */
export const foldedText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

/** The SQL of a check constraint. */
export const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`)

/**
 * The SQL of a check constraint: 1 to `most` characters without control characters, line separators and characters that
 * change the text direction. The same class as `unsafeCharacters` in `domain/text.ts`.
 */
export const isPlainText = (column: string, most: number) =>
  sql.raw(String.raw`${column} ~ '^[^\u0001-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]{1,${most}}$'`)

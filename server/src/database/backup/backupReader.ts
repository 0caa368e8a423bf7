import postgres from 'postgres'
import { usualSchema } from '../databaseAddress.ts'
import { journalTable } from '../migrate.ts'
import { onlyRow } from '../onlyRow.ts'
import { driverOptions, Servers } from '../servers.ts'
import { backupRole, findUnreadable } from './backupRole.ts'
import { digestRows, RowDigest } from './rowDigest.ts'

export interface BackupLogin {
  /** A login that is a member of `filegraph_backup`. */
  readonly url: string
  readonly schema?: string | undefined
}

export interface TableShape {
  readonly name: string
  /** Without generated columns. */
  readonly columns: readonly string[]
}

export interface CopiedTable extends TableShape {
  readonly rows: number
  /** See `RowDigest`. */
  readonly digest: string
}

/** A blob whose bytes the files of a tenant need. */
export interface NeededBlob {
  readonly tenantId: string
  readonly id: string
  readonly key: string
  readonly byteSize: number
  readonly etag: string | null
  readonly sha256: string | null
  readonly contentType: string
  /** The damage is known, so its bytes are not expected to be right. */
  readonly isQuarantined: boolean
}

export interface SnapshotFacts {
  readonly at: string
  readonly postgres: string
  readonly migrations: readonly string[]
  readonly installation: { readonly id: string; readonly generation: number } | null
  /** The last number in the journal of each tenant, as a digest. */
  readonly journal: JournalDigest
}

export interface JournalDigest {
  readonly tenants: number
  readonly changes: number
  readonly digest: string
}

type Sql = postgres.Sql | postgres.TransactionSql

/** How values are written as text, so that the same row has the same digest on every server. */
export const textSettings = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  client_encoding: 'UTF8',
} as const

/** A table can take hours. */
export const withoutTimeouts = { statement_timeout: '0', idle_in_transaction_session_timeout: '0' } as const

/** Reads rows of all tenants. Each statement sees the newest state. */
export class BackupReader {
  readonly #client: postgres.Sql
  readonly #schema: string

  constructor({ url, schema = usualSchema }: BackupLogin) {
    const { connection, ...address } = driverOptions(new Servers(url))
    this.#schema = schema
    this.#client = postgres({
      ...address,
      max: 2,
      onnotice: () => undefined,
      connection: {
        ...connection,
        application_name: 'filegraph backup',
        role: backupRole,
        search_path: schema,
        ...textSettings,
      },
    })
  }

  unreadableTables = (): Promise<string[]> => findUnreadable(this.#client, this.#schema)

  neededBlobs = (): AsyncGenerator<NeededBlob[]> => readNeededBlobs(this.#client)

  /** Whether the files of the tenant still need the bytes. */
  async isNeeded({ tenantId, id }: NeededBlob): Promise<boolean> {
    const rows = await this.#client`select from blobs where tenant_id = ${tenantId} and id = ${id} and status = 'ready'`
    return rows.length > 0
  }

  /** Runs `work` on one snapshot of the database, which no later change can alter. */
  async inSnapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const answer = await this.#client.begin('isolation level repeatable read, read only', async (tx) => {
      await setLocally(tx, withoutTimeouts)
      return { value: await work(new Snapshot(tx, this.#schema)) }
    })
    return answer.value
  }

  close = (): Promise<void> => this.#client.end({ timeout: 5 })
}

export class Snapshot {
  readonly #tx: postgres.TransactionSql
  readonly #schema: string

  constructor(tx: postgres.TransactionSql, schema: string) {
    this.#tx = tx
    this.#schema = schema
  }

  tables = (): Promise<TableShape[]> => readTableShapes(this.#tx, this.#schema)

  neededBlobs = (): AsyncGenerator<NeededBlob[]> => readNeededBlobs(this.#tx)

  /** Adds each row to the digest. */
  copyRows = (table: TableShape, digest: RowDigest): AsyncGenerator<Buffer> =>
    digestRows(copyOut(this.#tx, table), digest)

  async facts(): Promise<SnapshotFacts> {
    const tx = this.#tx
    const [first] = await tx`select now()::text as at, current_setting('server_version') as postgres`
    const migrations = await tx.unsafe(`select name from ${journalTable} order by name`)
    const [installation] = await tx`select id, generation::float8 as generation from installation`
    return {
      at: new Date(String(first?.['at'])).toISOString(),
      postgres: String(first?.['postgres']),
      migrations: migrations.map((row) => String(row['name'])),
      installation: installation
        ? { id: String(installation['id']), generation: Number(installation['generation']) }
        : null,
      journal: await digestJournal(tx),
    }
  }
}

export async function setLocally(
  tx: postgres.TransactionSql,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(settings)) await tx`select set_config(${name}, ${value}, true)`
}

/** All tables of the schema but the list of migrations, which a restore makes again by running them. */
export async function readTableShapes(sql: Sql, schema: string): Promise<TableShape[]> {
  const rows = await sql<{ name: string; columns: string[] }[]>`
    select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      and not a.attisdropped and a.attgenerated = ''
    where c.relnamespace = ${schema}::regnamespace and c.relkind in ('r', 'p') and c.relname <> ${journalTable}
    group by c.relname order by c.relname`
  return rows.map(({ name, columns }) => ({ name, columns }))
}

const rowsAtOnce = 500

/**
 * The rows in the text format of COPY. Read by a cursor, because the driver leaves its socket paused after a COPY that its reader
 * could not keep up with, and the next statement would wait without end.
 */
export async function* copyOut(sql: Sql, table: TableShape): AsyncGenerator<Buffer> {
  const rows =
    sql`select ${sql(table.columns)} from ${sql(table.name)}`.raw() as unknown as postgres.PendingQuery<never>
  for await (const some of rows.cursor(rowsAtOnce) as AsyncIterable<readonly RawRow[]>) {
    yield Buffer.from(some.map(asCopyLine).join(''))
  }
}

type RawRow = readonly (Buffer | null)[]

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS-TEXT */
const asCopyLine = (row: RawRow): string =>
  `${row.map((value) => value?.toString().replace(/[\\\n\r\t]/g, (found) => escapes[found] ?? found) ?? '\\N').join('\t')}\n`

export const columnList = ({ columns }: TableShape): string => columns.map(quoted).join(', ')

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export async function digestJournal(sql: Sql): Promise<JournalDigest> {
  const rows = await sql<{ tenants: number; changes: number; digest: string }[]>`
    select count(*)::int as tenants, coalesce(sum(journal_seq), 0)::float8 as changes, encode(sha256(convert_to(
      coalesce(string_agg(tenant_id::text || ' ' || journal_seq, ',' order by tenant_id), ''), 'UTF8')), 'hex') as digest
    from tenant_usage`
  return { ...onlyRow(rows) }
}

const page = 1_000

/** In the order of their keys, because a key begins with the ids of its tenant and its blob. */
async function* readNeededBlobs(sql: Sql): AsyncGenerator<NeededBlob[]> {
  let last = { tenantId: '00000000-0000-0000-0000-000000000000', id: '00000000-0000-0000-0000-000000000000' }
  for (;;) {
    const blobs = await sql<NeededBlob[]>`
      select tenant_id as "tenantId", id, object_key as key, byte_size::float8 as "byteSize", etag, sha256,
        content_type as "contentType", quarantined_at is not null as "isQuarantined"
      from blobs where status = 'ready' and (tenant_id, id) > (${last.tenantId}::uuid, ${last.id}::uuid)
      order by tenant_id, id limit ${page}`
    const end = blobs.at(-1)
    if (!end) return
    yield [...blobs]
    last = end
  }
}

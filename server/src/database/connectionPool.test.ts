import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestPostgres } from '../embedded/postgres/startTestPostgres.ts'
import { DatabaseUnavailable } from './databaseUnavailable.ts'
import { migrate } from './migrate.ts'
import { openTenantDatabase, type TenantDatabase } from './tenantDatabase.ts'

// A server of its own, because it is made read-only as a whole.
let server: Awaited<ReturnType<typeof startTestPostgres>>

beforeAll(async () => {
  server = await startTestPostgres()
  await migrate(server.url)
})

afterAll(() => server.stop())

const open = (options: { size: number; maxAgeMs?: number }) =>
  openTenantDatabase({ url: server.url, applicationName: 'pool', ...options })

const ask = (database: TenantDatabase, statement: ReturnType<typeof sql>) =>
  database.lookUp((db) => db.execute(statement))

const processOf = async (database: TenantDatabase) => {
  const [row] = await ask(database, sql`select pg_backend_pid() as process, pg_sleep(0.1)`)
  return row?.['process']
}

it('keeps a connection until its time is over', async () => {
  const database = open({ size: 1 })
  expect(await processOf(database)).toBe(await processOf(database))
  await database.close()
})

it('replaces a connection whose time is over, between two transactions and never within one', async () => {
  const database = open({ size: 1, maxAgeMs: 50 })
  const within = await database.lookUp(async (db) => [
    await db.execute(sql`select pg_backend_pid() as process, pg_sleep(0.2)`),
    await db.execute(sql`select pg_backend_pid() as process, pg_sleep(0)`),
  ])
  const [first, second] = within.map((rows) => rows[0]?.['process'])
  expect(first).toBe(second)
  expect(await processOf(database)).not.toBe(first)
  await database.close()
})

it('gives up every connection to a server that turned read-only', async () => {
  const superuser = postgres(server.url, { max: 1, onnotice: () => undefined })
  const database = open({ size: 3 })
  const processes = () => Promise.all([processOf(database), processOf(database), processOf(database)])
  const turn = async (state: 'on' | 'off') => {
    await superuser.unsafe(`alter system set default_transaction_read_only = ${state}`)
    await superuser`select pg_reload_conf()`
    await expect
      .poll(async () => (await superuser`show transaction_read_only`)[0]?.['transaction_read_only'])
      .toBe(state)
  }
  const before = new Set(await processes())
  await turn('on')
  try {
    // A backend reads the new configuration when it next waits for a statement.
    const refusal = () =>
      ask(database, sql`delete from stray_runs`).then(
        () => null,
        (error: unknown) => error,
      )
    await expect.poll(refusal).toBeInstanceOf(DatabaseUnavailable)
  } finally {
    await turn('off')
  }
  const after = await processes()
  expect(after.filter((process) => before.has(process))).toEqual([])
  await database.close()
  await superuser.end()
})

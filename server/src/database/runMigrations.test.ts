import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createEmptyDatabase } from '../../test/testDatabase.ts'
import { runMigrations } from './runMigrations.ts'

let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let migrator: postgres.Sql
let other: postgres.Sql
let third: postgres.Sql

const connectTo = () => postgres(database.superuserUrl, { max: 1, onnotice: () => undefined })

beforeEach(async () => {
  database = await createEmptyDatabase()
  ;[migrator, other, third] = [connectTo(), connectTo(), connectTo()]
  await migrator`create schema filegraph`
  await migrator`create table filegraph.journal (hash text, created_at bigint, name text)`
  await migrator`create table filegraph.things (id int)`
})

afterEach(async () => {
  await Promise.all([migrator, other, third].map((sql) => sql.end({ timeout: 1 })))
  await database.drop()
})

const migration = (name: string, ...sql: string[]) => ({ name, hash: name, folderMillis: 1, sql })

const run = (
  migrations: ReturnType<typeof migration>[],
  limits: { lockTimeoutMs?: number; lockPatienceMs?: number } = {},
) => runMigrations(migrator, { schema: 'filegraph', journalTable: 'journal', migrations, ...limits })

const applied = async () => (await other`select name from filegraph.journal`).map(({ name }) => String(name))

it('keeps the migrations before one that fails', async () => {
  const failing = migration('b', 'alter table filegraph.things add column c int', 'select 1 / 0')
  await expect(run([migration('a', 'alter table filegraph.things add column b int'), failing])).rejects.toThrow(
    'division by zero',
  )
  expect(await applied()).toEqual(['a'])
  const columns = await other`select column_name as name from information_schema.columns where table_name = 'things'`
  expect(columns.map(({ name }) => String(name))).toEqual(['id', 'b'])
})

it('waits for a long reader without making others wait behind it', async () => {
  const reader = await other.reserve()
  await reader`begin`
  await reader`select count(*) from filegraph.things`
  let isOver = false
  const running = run([migration('a', 'alter table filegraph.things add column b int')], { lockTimeoutMs: 50 }).finally(
    () => (isOver = true),
  )
  const waits: number[] = []
  for (let at = 0; at < 20; at += 1) {
    const asked = performance.now()
    await third`select count(*) from filegraph.things`
    waits.push(performance.now() - asked)
    await sleep(20)
  }
  expect(isOver).toBe(false)
  // Each attempt holds others up for its lock timeout. Behind a lock without a limit, the first would never end.
  expect(Math.max(...waits)).toBeLessThan(2_000)
  await reader`commit`
  reader.release()
  await running
  expect(await applied()).toEqual(['a'])
})

it('says what to do if it never gets its lock', async () => {
  const reader = await other.reserve()
  await reader`begin`
  await reader`select count(*) from filegraph.things`
  const blocked = run([migration('a', 'alter table filegraph.things add column b int')], {
    lockTimeoutMs: 50,
    lockPatienceMs: 300,
  })
  await expect(blocked).rejects.toThrow('The migration a found no moment to lock its tables. End long transactions')
  await reader`rollback`
  reader.release()
  expect(await applied()).toEqual([])
})

it('builds an index concurrently, beside a writer, in a migration without a transaction', async () => {
  const index = migration(
    'a',
    '-- no transaction\ndrop index concurrently if exists filegraph.things_by_id',
    'create index concurrently things_by_id on filegraph.things (id)',
  )
  const writer = await other.reserve()
  await writer`begin`
  await writer`insert into filegraph.things values (1)`
  const running = run([index], { lockTimeoutMs: 50 })
  for (let at = 0; at < 10; at += 1) await third`insert into filegraph.things values (2)`
  await writer`commit`
  writer.release()
  await running
  expect(await applied()).toEqual(['a'])
  const valid =
    await other`select indisvalid as valid from pg_index where indexrelid = 'filegraph.things_by_id'::regclass`
  expect(valid).toEqual([{ valid: true }])
})

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embeddedPostgres.ts'
import { isRunning } from './processIdentity.ts'

let folder: string
const running = new Set<EmbeddedPostgres>()

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'filegraph-embedded-'))
  chmodSync(folder, 0o711)
})

afterAll(async () => {
  for (const server of running) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

const secrets = { postgresSuperuserPassword: 'aa11', postgresOwnerPassword: 'bb22', postgresApiPassword: 'cc33' }

async function start(port: number | null = null): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    secrets,
    port,
  })
  running.add(server)
  return server
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await client.unsafe(text)
  } finally {
    await client.end()
  }
}

const postmaster = async (server: EmbeddedPostgres) => {
  const [row] = await query(server.superuserUrl, "select pg_read_file('postmaster.pid') as file")
  return Number(String(row?.['file']).split('\n', 1)[0])
}

it('keeps what was committed through kill -9, an orphan, and a clean stop', { timeout: 60_000 }, async () => {
  const first = await start()
  await query(first.migrationUrl, 'create table kept (value int)')
  await query(first.migrationUrl, 'insert into kept values (1)')
  const killed = await postmaster(first)
  process.kill(killed, 'SIGKILL')

  const second = await start(first.port)
  expect(second.port).toBe(first.port)
  await query(second.migrationUrl, 'insert into kept values (2)')

  // The process that started it is gone without a word; the server itself still runs.
  const orphan = await postmaster(second)
  const third = await start(second.port)
  expect(isRunning(orphan)).toBe(false)
  await query(third.migrationUrl, 'insert into kept values (3)')
  const last = await postmaster(third)
  await third.stop()
  expect(isRunning(last)).toBe(false)

  const fourth = await start()
  expect(await query(fourth.migrationUrl, 'select value from kept order by 1')).toEqual([
    { value: 1 },
    { value: 2 },
    { value: 3 },
  ])
  await fourth.stop()
})

it('gives the application a login without rights and the owner one that is no superuser', async () => {
  const server = await start()
  const roles = await query(
    server.superuserUrl,
    "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname like 'filegraph%' order by 1",
  )
  expect(roles.slice(0, 1)).toEqual([
    { rolname: 'filegraph', rolsuper: false, rolbypassrls: false, rolcreaterole: true },
  ])
  expect(roles.at(-1)).toEqual({ rolname: 'filegraph_api', rolsuper: false, rolbypassrls: false, rolcreaterole: false })
  await expect(query(server.url, 'create table mine (a int)')).rejects.toMatchObject({ code: '42501' })
  await expect(query(server.url.replace('cc33', 'wrong'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
  await server.stop()
})

import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { isRunning } from '../folder/folderLock.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embeddedPostgres.ts'

const secrets = { postgresSuperuserPassword: 'aa11', postgresOwnerPassword: 'bb22', postgresApiPassword: 'cc33' }
const isRoot = process.getuid?.() === 0

let base: string
const running = new Set<EmbeddedPostgres>()
const children = new Set<ChildProcess>()

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'filegraph-embedded-'))
  chmodSync(base, 0o711)
})

afterEach(async () => {
  for (const server of running) await server.stop()
  for (const child of children) child.kill('SIGKILL')
  running.clear()
  children.clear()
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

const optionsFor = (name: string) => ({
  folder: join(base, name),
  logFile: join(base, `${name}.log`),
  secrets,
  port: null,
  durable: false,
})

async function start(changes: Partial<Parameters<typeof startEmbeddedPostgres>[0]> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ ...optionsFor('postgres'), ...changes })
  running.add(server)
  return server
}

/** Another process that starts the server, to be killed. */
async function startElsewhere(): Promise<{ port: number; kill(): Promise<void> }> {
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('./embeddedPostgres.ts', import.meta.url).href)})
    const { port } = await startEmbeddedPostgres(${JSON.stringify(optionsFor('postgres'))})
    console.log(port)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: new URL('../../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (data) => resolve(Number(data))))
  const kill = async () => {
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
  }
  return { port, kill }
}

/** A process that has nothing to do with PostgreSQL, but belongs to the same user. */
function startBystander(folder: string): number {
  const { uid, gid } = statSync(folder)
  const child = spawn('sleep', ['600'], { stdio: 'ignore', cwd: '/', ...(isRoot && { uid, gid }) })
  children.add(child)
  return child.pid ?? 0
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await client.unsafe(text)
  } finally {
    await client.end()
  }
}

/** Counts the starts of the cluster, so that a test sees the rows of the tests before it. */
async function remember(server: EmbeddedPostgres): Promise<number> {
  await query(server.migrationUrl, 'create table if not exists kept (at timestamptz default now())')
  await query(server.migrationUrl, 'insert into kept default values')
  const [row] = await query(server.migrationUrl, 'select count(*)::int as count from kept')
  return Number(row?.['count'])
}

async function processesOf(server: EmbeddedPostgres): Promise<number[]> {
  const backends = await query(server.superuserUrl, 'select pid from pg_stat_activity where pid <> pg_backend_pid()')
  return [postmasterOf(server.folder), ...backends.map((row) => Number(row['pid']))]
}

const pidFileOf = (folder: string) => join(folder, 'cluster', 'postmaster.pid')
const postmasterOf = (folder: string) => Number(readFileSync(pidFileOf(folder), 'utf8').split('\n', 1)[0])

it('keeps its data and its port between starts, and leaves no process behind', async () => {
  const first = await start()
  expect(await remember(first)).toBe(1)
  const processes = await processesOf(first)
  expect(processes.length).toBeGreaterThan(3)
  await first.stop()
  expect(processes.filter(isRunning)).toEqual([])
  const second = await start({ port: first.port })
  expect(second.port).toBe(first.port)
  expect(await remember(second)).toBe(2)
})

it('restarts by itself on the same port after the server was killed', async () => {
  const server = await start()
  const count = await remember(server)
  const killed = postmasterOf(server.folder)
  process.kill(killed, 'SIGKILL')
  await expect.poll(() => remember(server).catch(() => 0), { timeout: 15_000 }).toBe(count + 1)
  const successor = postmasterOf(server.folder)
  expect(successor).not.toBe(killed)
  await server.stop()
  expect(isRunning(successor)).toBe(false)
})

it('ends a server that outlived its parent before it starts another one', async () => {
  const elsewhere = await startElsewhere()
  await elsewhere.kill()
  const orphan = postmasterOf(realpathSync(join(base, 'postgres')))
  expect(isRunning(orphan)).toBe(true)
  const server = await start({ port: elsewhere.port })
  expect(isRunning(orphan)).toBe(false)
  expect(server.port).toBe(elsewhere.port)
  expect(await remember(server)).toBeGreaterThan(1)
})

it('starts again after all processes were killed at once', async () => {
  const elsewhere = await startElsewhere()
  const orphan = postmasterOf(realpathSync(join(base, 'postgres')))
  process.kill(orphan, 'SIGKILL')
  await elsewhere.kill()
  expect(await remember(await start())).toBeGreaterThan(1)
})

it('ignores a stale file that names an unrelated process, and does not end that process', async () => {
  const server = await start()
  await remember(server)
  const file = readFileSync(pidFileOf(server.folder), 'utf8')
  await server.stop()
  const bystander = startBystander(server.folder)
  writeFileSync(pidFileOf(server.folder), file.replace(/^\d+/, String(bystander)))
  expect(await remember(await start())).toBeGreaterThan(1)
  expect(isRunning(bystander)).toBe(true)
})

it('does not end the server of the original if its files are a copy', async () => {
  const original = await start()
  const count = await remember(original)
  const copy = join(base, 'copy')
  cpSync(original.folder, copy, { recursive: true, preserveTimestamps: true })
  const postmaster = postmasterOf(original.folder)
  expect(postmasterOf(copy)).toBe(postmaster)
  // As root the copy belongs to root, and so to nobody that PostgreSQL could run as.
  if (isRoot) await giveAway(copy, original.folder)
  await start({ folder: copy }).catch(() => undefined)
  expect(isRunning(postmaster)).toBe(true)
  expect(await remember(original)).toBe(count + 1)
})

it('sets new passwords if the old ones were lost', async () => {
  const changed = { postgresSuperuserPassword: 'dd44', postgresOwnerPassword: 'ee55', postgresApiPassword: 'ff66' }
  const server = await start({ secrets: changed })
  expect(await remember(server)).toBeGreaterThan(1)
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await server.stop()
  expect(await remember(await start())).toBeGreaterThan(1)
})

it('takes another port if its own is in use', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const address = other.address()
  const taken = typeof address === 'object' && address ? address.port : 0
  const server = await start({ port: taken })
  expect(server.port).not.toBe(taken)
  await new Promise((resolve) => other.close(resolve))
})

it('starts over if creating the cluster was interrupted', async () => {
  const folder = join(base, 'cut')
  for (const name of ['cluster', 'cluster.1234']) mkdirSync(join(folder, name, 'base'), { recursive: true })
  const server = await start({ folder })
  expect(await remember(server)).toBe(1)
  expect(readdirSync(folder)).toEqual(['cluster'])
})

it('refuses files of another version of PostgreSQL in one line, and does not change them', async () => {
  const folder = realpathSync(join(base, 'postgres'))
  const version = join(folder, 'cluster', 'PG_VERSION')
  renameSync(version, `${version}.kept`)
  writeFileSync(version, '11\n')
  await expect(start()).rejects.toThrow(/^.* was written by PostgreSQL 11, and this is PostgreSQL 18\.$/)
  renameSync(`${version}.kept`, version)
  expect(await remember(await start())).toBeGreaterThan(1)
})

it('is stored where its own user can reach it, with a link from a folder that is closed to others', async () => {
  const closed = join(base, 'closed')
  mkdirSync(closed, { mode: 0o700 })
  const server = await start({ folder: join(closed, 'postgres') })
  expect(await remember(server)).toBe(1)
  expect(realpathSync(join(closed, 'postgres'))).toBe(server.folder)
  expect(server.folder.startsWith('/var/lib/filegraph/')).toBe(isRoot)
  await server.stop()
  rmSync(server.folder, { recursive: true })
})

it('gives the application a login without rights and the owner one that is not a superuser', async () => {
  const server = await start()
  const roles = await query(
    server.superuserUrl,
    "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname like 'filegraph%' order by 1",
  )
  expect(roles).toEqual([
    { rolname: 'filegraph', rolsuper: false, rolbypassrls: false, rolcreaterole: true },
    { rolname: 'filegraph_api', rolsuper: false, rolbypassrls: false, rolcreaterole: false },
  ])
  await expect(query(server.url, 'create table mine (a int)')).rejects.toMatchObject({ code: '42501' })
  await expect(query(server.url.replace('cc33', 'wrong'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
})

it('listens only on loopback, keeps checksums, and sorts by code points', async () => {
  const server = await start({ durable: true })
  const settings = `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories')
    as sockets, current_setting('data_checksums') as checksums, current_setting('fsync') as fsync,
    (select datlocale from pg_database where datname = 'filegraph') as locale`
  expect(await query(server.superuserUrl, settings)).toEqual([
    { addresses: '127.0.0.1', sockets: '', checksums: 'on', fsync: 'on', locale: 'C.UTF-8' },
  ])
})

async function giveAway(folder: string, like: string): Promise<void> {
  const child = spawn('chown', ['-R', `--reference=${like}`, folder], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('exit', resolve))
}

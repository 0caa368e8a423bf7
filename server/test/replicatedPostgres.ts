import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { type Cluster, openCluster } from '../src/embedded/postgres/cluster.ts'
import { freePort } from '../src/embedded/postgres/freePort.ts'
import { embeddedUrls, prepareDatabase } from '../src/embedded/postgres/prepareDatabase.ts'
import { endServer, spawnServer } from '../src/embedded/postgres/serverProcess.ts'

const secrets = {
  postgresSuperuserPassword: 'test',
  postgresOwnerPassword: 'test',
  postgresApiPassword: 'test',
}

interface RunningServer {
  readonly port: number
  /** Of a superuser, in the database of the application. */
  readonly url: string
  /** Ends the server at once, without a checkpoint. Open connections break. */
  kill(): Promise<void>
}

/** A primary and a standby that streams from it. */
export interface ReplicatedPostgres {
  readonly primary: RunningServer
  readonly standby: RunningServer
  /** Resolves when the standby has applied what the primary has written so far. */
  catchUp(): Promise<void>
  promote(): Promise<void>
  stop(): Promise<void>
}

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const base = mkdtempSync(join(tmpdir(), 'filegraph-replicated-'))
  chmodSync(base, 0o711)
  const cluster = await openCluster({ folder: join(base, 'primary'), durable: false, superuserPassword: 'test' })
  const primary = await startServer(cluster)
  await prepareDatabase(primary.maintenance, secrets)
  const copy = await copyAsStandby(cluster, primary, join(base, 'standby'))
  const standby = await startServer(copy)
  return {
    primary,
    standby,
    catchUp: () =>
      onServer(primary.url, async (sql) => {
        const [row] = await sql`select pg_current_wal_lsn()::text as lsn`
        await onServer(standby.url, (other) =>
          until(other, `select pg_last_wal_replay_lsn() >= '${row?.['lsn']}' as ok`),
        )
      }),
    promote: () => onServer(standby.url, async (sql) => void (await sql`select pg_promote()`)),
    stop: async () => {
      await Promise.all([primary.kill(), standby.kill()])
      rmSync(base, { recursive: true, force: true })
    },
  }
}

async function startServer(cluster: Cluster): Promise<RunningServer & { readonly maintenance: string }> {
  const port = await freePort(null)
  const { pid, exited } = spawnServer(cluster, { port, logFile: join(cluster.folder, 'log'), durable: false })
  const maintenance = embeddedUrls(port, secrets).superuserUrl
  await onServer(maintenance, (sql) => until(sql, 'select true as ok'))
  return {
    port,
    maintenance,
    url: Object.assign(new URL(maintenance), { pathname: '/filegraph' }).href,
    kill: async () => {
      try {
        process.kill(pid, 'SIGQUIT')
      } catch {
        return
      }
      await exited
      await endServer(pid)
    },
  }
}

/** A base backup by hand, because the packaged PostgreSQL has no pg_basebackup. */
async function copyAsStandby(source: Cluster, primary: RunningServer, folder: string): Promise<Cluster> {
  const files = join(folder, 'cluster')
  await onServer(primary.url, async (sql) => {
    await sql`alter system set wal_keep_size = '256MB'`
    await sql`select pg_reload_conf()`
    await sql`select pg_backup_start('standby', true)`
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const leftOut = ['postmaster.pid', 'postmaster.opts']
    cpSync(source.files, files, { recursive: true, filter: (path) => !leftOut.includes(basename(path)) })
    const [label] = await sql`select labelfile from pg_backup_stop(false)`
    writeFileSync(join(files, 'backup_label'), String(label?.['labelfile']))
  })
  writeFileSync(join(files, 'standby.signal'), '')
  const address = `host=127.0.0.1 port=${primary.port} user=postgres password=test`
  writeFileSync(join(files, 'postgresql.auto.conf'), `primary_conninfo = '${address}'\n`)
  giveTo(source, folder)
  return openCluster({ folder, durable: false, superuserPassword: 'test' })
}

/** The server accepts only files of its own user. */
function giveTo({ user }: Cluster, folder: string): void {
  const own = (path: string) => user && chownSync(path, user.uid, user.gid)
  own(folder)
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) own(join(folder, entry))
  chmodSync(join(folder, 'cluster'), 0o700)
}

async function onServer<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function until(sql: postgres.Sql, question: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    const [answer] = await sql.unsafe(question).catch(() => [])
    if (answer?.['ok'] === true) return
  }
  throw new Error(`Not in time: ${question}`)
}

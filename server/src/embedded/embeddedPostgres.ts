import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { type ClusterOptions, endOrphan, endPostgres, ensureCluster, makeFolderFor, spawnPostgres } from './cluster.ts'
import type { Secrets } from './dataDirectory.ts'
import { freePort } from './freePort.ts'
import { postgresBinaries, reachableFolder } from './postgresBinaries.ts'
import { othersCanEnter, postgresUser, type SystemUser } from './systemUser.ts'

export interface EmbeddedPostgresOptions {
  /** Where the cluster lies, or where a link leads to it. */
  readonly folder: string
  readonly logFile: string
  readonly secrets: Pick<Secrets, 'postgresSuperuserPassword' | 'postgresOwnerPassword' | 'postgresApiPassword'>
  /** Taken if it is free. */
  readonly port: number | null
  readonly durable?: boolean
}

export interface EmbeddedPostgres {
  /** The login of the application. */
  readonly url: string
  /** The login that owns the database, may create tables and roles, and is no superuser. */
  readonly migrationUrl: string
  readonly superuserUrl: string
  readonly port: number
  /** Where the files really are. */
  readonly folder: string
  stop(): Promise<void>
}

export const apiLogin = 'filegraph_api'
const ownerLogin = 'filegraph'

/** Addresses of an embedded server that runs on `port`. */
export function embeddedUrls(port: number, secrets: EmbeddedPostgresOptions['secrets']) {
  const address = (user: string, password: string, name: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${name}`
  return {
    url: address(apiLogin, secrets.postgresApiPassword, 'filegraph'),
    migrationUrl: address(ownerLogin, secrets.postgresOwnerPassword, 'filegraph'),
    superuserUrl: address('postgres', secrets.postgresSuperuserPassword, 'postgres'),
  }
}

/** Starts the PostgreSQL that comes with the package, after a crash of everything too, and prepares its database. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = postgresUser()
  const folder = placeFor(user, options.folder)
  makeFolderFor(user, folder)
  const clusterOptions: ClusterOptions = {
    binaries: postgresBinaries(user),
    user,
    folder,
    superuserPassword: options.secrets.postgresSuperuserPassword,
    logFile: options.logFile,
    durable: options.durable ?? true,
  }
  const cluster = await ensureCluster(clusterOptions)
  await endOrphan(cluster)
  const port = await freePort(options.port)
  const urls = embeddedUrls(port, options.secrets)
  const pid = await startUntilReady(clusterOptions, cluster, port, urls.superuserUrl)
  await prepareDatabase(urls.superuserUrl, options.secrets)
  return { ...urls, port, folder, stop: () => endPostgres(pid) }
}

/** Inside the data folder, unless the database's user cannot get there: then a link leads to where they can. */
function placeFor(user: SystemUser | undefined, wanted: string): string {
  mkdirSync(dirname(wanted), { recursive: true })
  if (existsSync(wanted)) return realpathSync(wanted)
  if (!user || othersCanEnter(dirname(wanted))) return wanted
  const place = join(reachableFolder, `data-${randomBytes(8).toString('hex')}`)
  mkdirSync(place, { recursive: true, mode: 0o755 })
  // A link that leads nowhere is one whose files were removed by hand: the data is gone, and so is the link.
  if (lstatSync(wanted, { throwIfNoEntry: false }))
    throw new Error(`${wanted} leads nowhere; remove it to start afresh.`)
  symlinkSync(place, wanted)
  return place
}

const startAttempts = 20
const readyPatienceMs = 120_000

/** A crashed server's children may hold its memory for a moment, and somebody may take the port: then once more. */
async function startUntilReady(options: ClusterOptions, cluster: string, port: number, url: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const child = spawnPostgres(options, cluster, port)
    let isRunning = true
    child.once('exit', () => (isRunning = false)).once('error', () => (isRunning = false))
    const isReady = await untilReady(url, () => isRunning)
    if (isReady && child.pid !== undefined) {
      child.unref()
      return child.pid
    }
    if (child.pid !== undefined && isRunning) await endPostgres(child.pid)
    if (attempt === startAttempts) throw new Error(`PostgreSQL did not start; ${options.logFile} tells why.`)
    await sleep(500)
  }
}

async function untilReady(url: string, isRunning: () => boolean): Promise<boolean> {
  for (const end = Date.now() + readyPatienceMs; Date.now() < end && isRunning(); await sleep(25)) {
    const client = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => undefined })
    try {
      await client`select 1`
      return isRunning()
    } catch {
      // Not yet.
    } finally {
      await client.end({ timeout: 0 })
    }
  }
  return false
}

/** The owner may do everything inside its database and is no superuser; the application's login has no rights at all. */
async function prepareDatabase(superuserUrl: string, secrets: EmbeddedPostgresOptions['secrets']): Promise<void> {
  const client = postgres(superuserUrl, { max: 1, onnotice: () => undefined })
  try {
    await ensureLogin(client, ownerLogin, secrets.postgresOwnerPassword, 'createrole')
    await ensureLogin(client, apiLogin, secrets.postgresApiPassword, '')
    const [database] = await client`select from pg_database where datname = 'filegraph'`
    if (!database) await client.unsafe(`create database filegraph owner ${ownerLogin}`)
  } finally {
    await client.end()
  }
}

/** Passwords are hexadecimal digits of ours, so there is nothing in them to escape. */
async function ensureLogin(client: postgres.Sql, name: string, password: string, rights: string): Promise<void> {
  const [role] = await client`select from pg_roles where rolname = ${name}`
  if (!role) await client.unsafe(`create role ${name} login ${rights} password '${password}'`)
}

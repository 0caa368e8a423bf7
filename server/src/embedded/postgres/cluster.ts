import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import {
  makeReachable,
  type PostgresBinaries,
  postgresBinaries,
  canEnter,
  postgresUser,
  type SystemUser,
} from './postgresBinaries.ts'

/** The files of one database server, and the settings to run it. */
export interface Cluster {
  readonly binaries: PostgresBinaries
  /** The user that the server runs as. Undefined: the current user. */
  readonly user: SystemUser | undefined
  /** Owned by `user`. */
  readonly folder: string
  /** Inside `folder`. */
  readonly files: string
}

export interface ClusterOptions {
  /** The location of the cluster, or of a link to it. */
  readonly folder: string
  readonly superuserPassword: string
  /** False only in tests: an acknowledged commit must survive a power failure. */
  readonly durable: boolean
}

/** Opens the cluster or creates it atomically. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const user = postgresUser(options.folder)
  const folder = placeFor(user, options.folder)
  makeFolderFor(user, folder)
  const cluster: Cluster = { binaries: postgresBinaries(user), user, folder, files: join(folder, 'cluster') }
  if (existsSync(join(cluster.files, 'PG_VERSION'))) refuseOtherVersion(cluster)
  else await create(cluster, options)
  return cluster
}

/**
 * The location inside the data folder. If the database's user cannot enter it, a link there points to a location that
 * the user can enter.
 */
function placeFor(user: SystemUser | undefined, wanted: string): string {
  const parent = dirname(wanted)
  mkdirSync(parent, { recursive: true })
  if (existsSync(wanted)) {
    const place = realpathSync(wanted)
    if (!user || canEnter(user, dirname(place))) return place
    throw new Error(
      `${place} cannot be entered by the user that PostgreSQL runs as (uid ${user.uid}). Open its parents.`,
    )
  }
  // If the target of the link was deleted by hand, the data is gone, and the link is removed too.
  if (lstatSync(wanted, { throwIfNoEntry: false })) {
    throw new Error(`${wanted} leads nowhere; remove it to start afresh.`)
  }
  if (!user || canEnter(user, parent)) return wanted
  const place = join(makeReachable('data'), randomBytes(8).toString('hex'))
  makeFolderFor(user, place)
  symlinkSync(place, wanted)
  return place
}

/** Creates a folder that only `user` can access. */
function makeFolderFor(user: SystemUser | undefined, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (user) chownSync(folder, user.uid, user.gid)
  chmodSync(folder, 0o700)
}

function refuseOtherVersion({ binaries, files }: Cluster): void {
  const version = readFileSync(join(files, 'PG_VERSION'), 'utf8').trim()
  if (version === binaries.version) return
  throw new Error(`${files} was written by PostgreSQL ${version}, and this is PostgreSQL ${binaries.version}.`)
}

async function create({ binaries, user, folder, files }: Cluster, options: ClusterOptions): Promise<void> {
  // Leftovers of an interrupted start. The new name is unique, because an orphaned initdb can still write to the last
  // one.
  const leftovers = readdirSync(folder).filter((name) => name.startsWith('cluster'))
  for (const name of leftovers) rmSync(join(folder, name), { recursive: true, force: true })
  const aside = `${files}.${randomBytes(4).toString('hex')}`
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, options.superuserPassword, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-locale']
  const rest = ['--data-checksums', '--no-instructions', ...(options.durable ? [] : ['--no-sync'])]
  try {
    const own = { ...user, cwd: folder, env: { PATH: '/usr/bin:/bin' } }
    await promisify(execFile)(binaries.initdb, [...access, ...locale, ...rest, '-D', aside], own)
  } catch (error) {
    rmSync(aside, { recursive: true, force: true })
    const { stderr = '' } = error as { stderr?: string }
    throw new Error(`PostgreSQL could not make its files in ${folder}: ${stderr.trim()}`, { cause: error })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(aside, files)
}

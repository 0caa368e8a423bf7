import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Whom to run a child process as; undefined is ourselves. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/**
 * PostgreSQL refuses to run as root, so root lends it another user: `postgres` where there is one, or a new one, or
 * `nobody` where none can be made.
 */
export function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const user = find('postgres') ?? create('postgres') ?? find('nobody')
  if (!user) throw new Error('As root, PostgreSQL needs another system user to run as, and none could be made.')
  return user
}

function find(name: string): SystemUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

function create(name: string): SystemUser | undefined {
  try {
    execFileSync('useradd', ['--system', '--no-create-home', '--user-group', name], { stdio: 'ignore' })
    return find(name)
  } catch {
    return undefined
  }
}

/** Whether somebody else can read `path` and pass through every folder above it. */
export const isOpenToOthers = (path: string): boolean =>
  (statSync(path).mode & 0o005) === 0o005 && othersCanEnter(dirname(path))

/** Whether somebody else can pass through a folder and every one above it. */
export function othersCanEnter(folder: string): boolean {
  const isPassable = (statSync(folder).mode & 0o001) !== 0
  return isPassable && (folder === dirname(folder) || othersCanEnter(dirname(folder)))
}

import { execFileSync, spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

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
export const succeedsAs = (user: SystemUser, program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { ...user, cwd: '/', stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } }).status === 0

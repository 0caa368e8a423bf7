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

/** The files of one database server, and what is needed to run it. */
export interface Cluster {
  readonly binaries: PostgresBinaries
  /** Whom it runs as, when that is not ourselves. */
  readonly user: SystemUser | undefined
  /** Belongs to `user`. */
  readonly folder: string
  /** Inside `folder`. */
  readonly files: string
}

export interface ClusterOptions {
  /** Where the cluster lies, or where a link leads to it. */
  readonly folder: string
  readonly superuserPassword: string
  /** False in tests alone: an acknowledged commit has to survive a power cut. */
  readonly durable: boolean
}

/** Finds the cluster or makes one: complete, or not at all. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const user = postgresUser(options.folder)
  const folder = placeFor(user, options.folder)
  makeFolderFor(user, folder)
  const cluster: Cluster = { binaries: postgresBinaries(user), user, folder, files: join(folder, 'cluster') }
  if (existsSync(join(cluster.files, 'PG_VERSION'))) refuseOtherVersion(cluster)
  else await create(cluster, options)
  return cluster
}

/** Inside the data folder, unless the database's user cannot get there: then a link leads to where they can. */
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
  // A link that leads nowhere is one whose files were removed by hand: the data is gone, and so is the link.
  if (lstatSync(wanted, { throwIfNoEntry: false })) {
    throw new Error(`${wanted} leads nowhere; remove it to start afresh.`)
  }
  if (!user || canEnter(user, parent)) return wanted
  const place = join(makeReachable('data'), randomBytes(8).toString('hex'))
  makeFolderFor(user, place)
  symlinkSync(place, wanted)
  return place
}

/** Makes a folder that belongs to `user` alone. */
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
  // Leftovers of a start that was killed. A name of its own: an initdb that was left alone may still write to the last.
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

import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { findHolder, lockFolder } from './folderLock.ts'

/** Created once, in a file that only the owner can read. */
const secretsFile = z
  .object({
    postgresSuperuserPassword: z.string().min(1),
    postgresOwnerPassword: z.string().min(1),
    postgresApiPassword: z.string().min(1),
    bucketAccessKeyId: z.string().min(1),
    bucketSecretAccessKey: z.string().min(1),
  })
  .readonly()
export type Secrets = z.infer<typeof secretsFile>

/** The facts of a running instance. Commands beside it read them, and the next start reuses its ports. */
const instanceFile = z
  .object({
    pid: z.int(),
    url: z.string(),
    postgresPort: z.int().nullable(),
    bucketPort: z.int().nullable(),
  })
  .readonly()
export type Instance = z.infer<typeof instanceFile>

export interface DataDirectory {
  readonly path: string
  readonly secrets: Secrets
  /** The facts of the last instance, running or not. */
  readonly lastInstance: Instance | null
  writeInstance(instance: Instance): void
  /** Releases the folder. The ports stay recorded for the next start. */
  release(): void
}

/** The folder cannot be used. The message is one line for people. */
export class FolderUnusable extends Error {
  override readonly name = 'FolderUnusable'
}

/** Opens the folder for this process only. Rejects with `FolderUnusable` or `FolderInUse`. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  prepare(path)
  const unlock = await lockFolder(path)
  let secrets: Secrets
  try {
    secrets = readOrMakeSecrets(path)
  } catch (error) {
    unlock()
    throw error
  }
  return {
    path,
    secrets,
    lastInstance: readInstance(path),
    writeInstance: (instance) => writePrivate(join(path, 'instance.json'), instance),
    release: unlock,
  }
}

/** Finds the instance that runs on this folder, for commands. Null if none does. */
export async function findRunningInstance(path: string): Promise<{ instance: Instance; secrets: Secrets } | null> {
  const instance = readInstance(path)
  // The lock is held by a command or by a starting instance. The file describes an instance that has ended.
  if (!instance || findHolder(path)?.pid !== instance.pid) return null
  return { instance, secrets: readOrMakeSecrets(path) }
}

function prepare(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    // If this process is root, the database's own user has to enter the folder. Each secret file has its own
    // permissions.
    if (process.getuid?.() === 0) chmodSync(path, 0o711)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new FolderUnusable(`The data folder ${path} cannot be written (${code}). Set FILEGRAPH_DATA_DIR to another.`)
  }
}

function readOrMakeSecrets(path: string): Secrets {
  const file = join(path, 'secrets.json')
  if (existsSync(file)) return readSecrets(file)
  const secret = () => randomBytes(24).toString('hex')
  const secrets: Secrets = {
    postgresSuperuserPassword: secret(),
    postgresOwnerPassword: secret(),
    postgresApiPassword: secret(),
    bucketAccessKeyId: `FG${randomBytes(9).toString('hex').toUpperCase()}`,
    bucketSecretAccessKey: secret(),
  }
  writePrivate(file, secrets)
  return secrets
}

/** The message names the missing fields and never contains a value. */
function readSecrets(file: string): Secrets {
  const read = secretsFile.safeParse(readJson(file))
  if (read.success) return read.data
  const names = read.error.issues.map(({ path }) => path.join('.')).filter((name) => name !== '')
  const what = names.length === 0 ? 'is not readable JSON' : `has no ${names.join(', ')}`
  throw new FolderUnusable(`The file ${file} ${what}. The embedded Postgres cannot be opened without it: restore it.`)
}

/** Null for a file of an earlier version and for a damaged one. */
const readInstance = (path: string): Instance | null =>
  instanceFile.safeParse(readJson(join(path, 'instance.json'))).data ?? null

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

function writePrivate(file: string, value: unknown): void {
  const aside = `${file}.new`
  rmSync(aside, { force: true })
  writeFileSync(aside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(aside, file)
}

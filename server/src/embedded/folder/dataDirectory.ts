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
import { findHolder, lockFolder } from './folderLock.ts'

/** Made once, and kept in a file that only the owner can read. */
export interface Secrets {
  readonly postgresSuperuserPassword: string
  readonly postgresOwnerPassword: string
  readonly postgresApiPassword: string
  readonly bucketAccessKeyId: string
  readonly bucketSecretAccessKey: string
}

/** What a running instance tells the command line beside it, and the next start, which likes to keep its ports. */
export interface Instance {
  readonly pid: number
  readonly url: string
  readonly postgresPort: number | null
  readonly bucketPort: number | null
}

export interface DataDirectory {
  readonly path: string
  readonly secrets: Secrets
  /** What the last instance wrote, whether it still runs or not. */
  readonly lastInstance: Instance | null
  writeInstance(instance: Instance): void
  /** Gives the folder back. The ports stay written down for the next start. */
  release(): void
}

/** The folder cannot be used. The message is one line for people. */
export class FolderUnusable extends Error {
  override readonly name = 'FolderUnusable'
}

/** Opens the folder for this process alone. Rejects with `FolderUnusable` or `FolderInUse`. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  prepare(path)
  const unlock = await lockFolder(path)
  return {
    path,
    secrets: readOrMakeSecrets(path),
    lastInstance: readInstance(path),
    writeInstance: (instance) => writePrivate(join(path, 'instance.json'), instance),
    release: unlock,
  }
}

/** The instance that runs on this folder, for commands beside it; null when none does. */
export async function findRunningInstance(path: string): Promise<{ instance: Instance; secrets: Secrets } | null> {
  const instance = readInstance(path)
  // Another holder is a command, or an instance that has not come up yet; what is written is of one that ended.
  if (!instance || findHolder(path)?.pid !== instance.pid) return null
  return { instance, secrets: readOrMakeSecrets(path) }
}

function prepare(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    // The database's own user has to pass through when we are root; what is secret in here is so file by file.
    if (process.getuid?.() === 0) chmodSync(path, 0o711)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new FolderUnusable(`The data folder ${path} cannot be written (${code}). Set FILEGRAPH_DATA_DIR to another.`)
  }
}

function readOrMakeSecrets(path: string): Secrets {
  const file = join(path, 'secrets.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets
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

function readInstance(path: string): Instance | null {
  try {
    return JSON.parse(readFileSync(join(path, 'instance.json'), 'utf8')) as Instance
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

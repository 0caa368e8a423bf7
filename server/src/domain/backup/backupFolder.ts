import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { parseJson } from '../text.ts'
import { type BackedUpObject, BackupRefused, type Manifest, manifestShape, objectShape } from './manifest.ts'

/**
 * A folder with backups:
 *
 * - `objects/<tenant>/<two digits>/<name>`: the bytes, shared by all backups of the folder and never overwritten
 * - `<backup>/tables/<table>.copy.gz`: the rows, in the text format of COPY
 * - `<backup>/objects.jsonl.gz`: the objects that the rows need
 * - `<backup>/manifest.json`: written last
 *
 * Each file is written under a temporary name and renamed after it is on the disk.
 */
export class BackupFolder {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** The whole backups, oldest first. Their names begin with their time. */
  async list(): Promise<string[]> {
    const entries = await readdir(this.path, { withFileTypes: true }).catch(emptyIfMissing)
    const names = entries.filter((entry) => entry.isDirectory() && isBackupId(entry.name)).map(({ name }) => name)
    const whole = await Promise.all(names.map((name) => fileSize(join(this.path, name, 'manifest.json'))))
    return names.filter((_, at) => whole[at] !== null).toSorted()
  }

  /** The named backup. Default: the newest. */
  async readManifest(id?: string): Promise<Manifest> {
    const chosen = id ?? (await this.list()).at(-1)
    if (chosen === undefined) throw new BackupRefused(`The folder ${this.path} has no whole backup.`)
    const path = join(this.path, basename(chosen), 'manifest.json')
    if ((await fileSize(path)) === null) {
      throw new BackupRefused(`The folder ${this.path} has no whole backup "${chosen}".`)
    }
    const manifest = parseJson(manifestShape, await readFile(path, 'utf8'))
    if (manifest?.id === chosen) return manifest
    throw new BackupRefused(`The manifest ${path} cannot be understood. A newer version may have written it.`)
  }

  async create(id: string): Promise<void> {
    await mkdir(join(this.path, id, 'tables'), { recursive: true, mode: privateFolder })
  }

  /** Removes what backups left that did not finish. Bytes stay, because the next backup needs them. */
  async removeUnfinished(except: string): Promise<void> {
    const entries = await readdir(this.path, { withFileTypes: true }).catch(emptyIfMissing)
    const whole = await this.list()
    const left = entries.filter(({ name }) => isBackupId(name) && name !== except && !whole.includes(name))
    for (const { name } of left) await rm(join(this.path, name), { recursive: true })
  }

  writeManifest = (manifest: Manifest): Promise<void> =>
    writeWhole(join(this.path, manifest.id, 'manifest.json'), [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)])

  writeTable = (id: string, table: string, rows: AsyncIterable<Buffer>): Promise<void> =>
    writeCompressed(this.#tablePath(id, table), rows)

  readTable(id: string, table: string): Readable {
    const file = createReadStream(this.#tablePath(id, table))
    const rows = createGunzip()
    // Not `pipe`, which would leave the reader waiting after an error of the file.
    file.once('error', (error) => rows.destroy(error))
    return file.pipe(rows)
  }

  /** Returns the digest of the list. */
  async writeObjects(id: string, objects: AsyncIterable<BackedUpObject>): Promise<string> {
    const digest = createHash('sha256')
    const lines = async function* () {
      let block = ''
      for await (const object of objects) {
        block += `${JSON.stringify(object)}\n`
        if (block.length < blockCharacters) continue
        yield digested(block, digest)
        block = ''
      }
      yield digested(block, digest)
    }
    await writeCompressed(this.#listPath(id), lines())
    return digest.digest('hex')
  }

  /** In the order of their keys. Throws at the end if the list is not the one of the manifest. */
  async *readObjects({ id, objects }: Manifest): AsyncGenerator<BackedUpObject> {
    const digest = createHash('sha256')
    const file = createReadStream(this.#listPath(id))
    const text = createGunzip()
    file.once('error', (error) => text.destroy(error))
    for await (const line of createInterface({ input: file.pipe(text), crlfDelay: Infinity })) {
      digest.update(`${line}\n`)
      const object = parseJson(objectShape, line)
      if (!object) throw new BackupRefused(`A line of the list of objects of ${id} cannot be understood.`)
      yield object
    }
    if (digest.digest('hex') !== objects.digest) {
      throw new BackupRefused(`The list of objects of ${id} is damaged: its digest is not that of the manifest.`)
    }
  }

  /** Whether the bytes are in the folder. They were verified before they got this name. */
  async has(key: string, byteSize: number): Promise<boolean> {
    return (await fileSize(this.objectPath(key))) === byteSize
  }

  objectPath(key: string): string {
    const [, tenant = '', name = ''] = /^org\/([\w-]{1,64})\/files\/(\w[\w.-]{0,200})$/.exec(key) ?? []
    if (name === '') throw new BackupRefused(`The key ${key} has an unknown form.`)
    const shard = name.replace(/\..*$/, '').slice(-2)
    return join(this.path, 'objects', tenant, shard, name)
  }

  #tablePath = (id: string, table: string) => join(this.path, id, 'tables', `${table}.copy.gz`)

  #listPath = (id: string) => join(this.path, id, 'objects.jsonl.gz')
}

const blockCharacters = 65_536
const privateFolder = 0o700
const privateFile = 0o600

/** Backup folders are private: they hold the files and the password hashes of everybody. */
export const makeFolder = (path: string): Promise<string | undefined> =>
  mkdir(path, { recursive: true, mode: privateFolder })

export const isBackupId = (name: string): boolean => /^\d{8}T\d{6}Z-[\da-f]{6}$/.test(name)

function digested(text: string, digest: ReturnType<typeof createHash>): Buffer {
  digest.update(text)
  return Buffer.from(text)
}

const writeCompressed = (path: string, blocks: AsyncIterable<Buffer>): Promise<void> =>
  writeWhole(path, (file) => pipeline(Readable.from(blocks), createGzip({ level: 1 }), file))

type Content = readonly Buffer[] | ((file: NodeJS.WritableStream) => Promise<unknown>)

/** Writes a file that is there whole or not at all, also after the machine lost power. */
export async function writeWhole(path: string, content: Content): Promise<void> {
  const part = `${path}.${process.pid}.part`
  try {
    const file = createWriteStream(part, { mode: privateFile, flush: true })
    await (typeof content === 'function' ? content(file) : pipeline(content, file))
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function fileSize(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    return nullIfMissing(error)
  }
}

function nullIfMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}

const emptyIfMissing = (error: unknown) => nullIfMissing(error) ?? []

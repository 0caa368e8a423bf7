import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChecksumAlgorithm } from './checksums.ts'
import type { ObjectRecord, PartRecord } from './objectHeaders.ts'
import type { IncomingFile } from './objectStore.ts'
import { isMissing, openRecordFile, readRecord, type OpenRecordFile, syncDirectory } from './recordFile.ts'
import { S3Error } from './s3Error.ts'

/** The headers with which the client began a multipart upload. */
export interface Upload {
  readonly id: string
  readonly key: string
  /** Milliseconds since 1970. */
  readonly initiated: number
  readonly headers: ObjectRecord['headers']
  readonly metadata: ObjectRecord['metadata']
  readonly checksum: UploadChecksum | undefined
}

export interface UploadChecksum {
  readonly algorithm: ChecksumAlgorithm
  /** The checksum of the parts' checksums, or of all bytes. */
  readonly type: 'COMPOSITE' | 'FULL_OBJECT'
}

export interface StoredPart extends PartRecord {
  readonly number: number
}

export interface UploadStore {
  begin(upload: Omit<Upload, 'id'>): Promise<Upload>
  /** Throws `NoSuchUpload` for an unknown id and for the id of another key. */
  find(id: string, key: string): Upload
  all(): Upload[]
  putPart(upload: Upload, number: number, file: IncomingFile<PartRecord>): Promise<void>
  /** Sorted by part number. */
  parts(upload: Upload): StoredPart[]
  openPart(upload: Upload, number: number): OpenRecordFile<PartRecord> | null
  /** Ends the upload atomically and then deletes its parts. False if it had already ended. */
  end(upload: Upload): Promise<boolean>
}

const uploadFile = 'upload.json'
const ended = 'ended-'

/** Stores multipart uploads, one directory each, with `upload.json` and a file for each part. */
export function openUploadStore(directory: string): UploadStore {
  mkdirSync(directory, { recursive: true })
  for (const name of readdirSync(directory)) {
    if (!existsSync(join(directory, name, uploadFile)) || name.startsWith(ended)) {
      rmSync(join(directory, name), { recursive: true, force: true })
    }
  }
  const pathOf = (id: string) => join(directory, id)
  const partPath = (id: string, number: number) => join(directory, id, `part-${String(number).padStart(5, '0')}`)

  return {
    async begin(fields) {
      const upload = { id: newUploadId(fields.initiated), ...fields }
      const unfinished = pathOf(`new-${upload.id}`)
      await mkdir(unfinished)
      await writeFile(join(unfinished, uploadFile), JSON.stringify(upload), { flush: true, mode: 0o600 })
      await syncDirectory(unfinished)
      renameSync(unfinished, pathOf(upload.id))
      await syncDirectory(directory)
      return upload
    },
    find(id, key) {
      const upload = /^[0-9a-f]{32}$/.test(id) ? readUpload(join(pathOf(id), uploadFile)) : null
      if (upload?.key !== key) throw new S3Error('NoSuchUpload')
      return upload
    },
    all() {
      const ids = readdirSync(directory).filter((name) => /^[0-9a-f]{32}$/.test(name))
      return ids.map((id) => readUpload(join(pathOf(id), uploadFile))).filter((upload) => upload !== null)
    },
    async putPart({ id }, number, file) {
      try {
        renamePart(file.path, partPath(id, number))
        await syncDirectory(pathOf(id))
      } finally {
        rmSync(file.path, { force: true })
      }
    },
    parts({ id }) {
      const names = readdirSync(pathOf(id)).filter((name) => name.startsWith('part-'))
      return names.sort().map((name) => readPart(join(pathOf(id), name), Number(name.slice('part-'.length))))
    },
    openPart: ({ id }, number) => openRecordFile<PartRecord>(partPath(id, number)),
    async end({ id }) {
      if (!existsSync(pathOf(id))) return false
      const goner = pathOf(`${ended}${id}`)
      renameSync(pathOf(id), goner)
      await syncDirectory(directory)
      await rm(goner, { recursive: true, force: true })
      return true
    },
  }
}

/** The id starts with the time: a list sorts the uploads of one key by id, and S3 lists the oldest first. */
function newUploadId(initiated: number): string {
  return initiated.toString(16).padStart(12, '0') + randomBytes(10).toString('hex')
}

function readUpload(path: string): Upload | null {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Upload) : null
}

function readPart(path: string, number: number): StoredPart {
  const record = readRecord<PartRecord>(path)
  if (!record) throw new S3Error('NoSuchUpload')
  return { ...record, number }
}

/** The upload can have been completed or aborted in the meantime. */
function renamePart(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (isMissing(error)) throw new S3Error('NoSuchUpload')
    throw error
  }
}

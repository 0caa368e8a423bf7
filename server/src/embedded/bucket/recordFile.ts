import { closeSync, fsyncSync, openSync, fstatSync, readSync } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'

/** Syncs a directory, so that added and removed names survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

export function syncDirectoryNow(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/**
 * A file with bytes, followed by a record about them:
 *
 * bytes | record as JSON | length of the JSON, 4 bytes big-endian | magic, 8 bytes
 *
 * Bytes and record are in one file, so that one rename or link publishes both. The record comes last, because digests
 * are known last. A file without the magic is incomplete.
 */
const magic = Buffer.from('FGOBJ\r\n1', 'latin1')
const footerBytes = 4 + magic.length
const tailBytes = 1024

/** Writes bytes as they arrive. */
export type WriteBytes = (chunk: Uint8Array) => Promise<void>

/**
 * Creates a file from the bytes that `fill` writes and the record that it returns. When this resolves, both are synced
 * to disk. If anything fails, the file is removed.
 */
export async function writeRecordFile<T extends { size: number }>(
  path: string,
  fill: (write: WriteBytes) => Promise<T>,
): Promise<T> {
  const file = await open(path, 'wx', 0o600)
  try {
    const record = await fill((chunk) => writeAll(file, chunk))
    const json = Buffer.from(JSON.stringify(record))
    const footer = Buffer.alloc(footerBytes)
    footer.writeUInt32BE(json.length)
    magic.copy(footer, 4)
    await writeAll(file, Buffer.concat([json, footer]))
    await file.sync()
    await file.close()
    return record
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
    throw error
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, offset)
    offset += bytesWritten
  }
}

export interface OpenRecordFile<T> {
  readonly record: T
  /** The caller closes it. */
  readonly descriptor: number
}

/**
 * Opens a file and reads its record. Null if the file does not exist. The open descriptor keeps the bytes readable even
 * if the file is replaced or deleted. Throws if the file is damaged.
 */
export function openRecordFile<T extends { size: number }>(path: string): OpenRecordFile<T> | null {
  const descriptor = openIfThere(path)
  if (descriptor === null) return null
  try {
    return { record: readRecordOf(descriptor, path) as T, descriptor }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

export function readRecord<T extends { size: number }>(path: string): OpenRecordFile<T>['record'] | null {
  const file = openRecordFile<T>(path)
  if (!file) return null
  closeSync(file.descriptor)
  return file.record
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

const tail = Buffer.alloc(tailBytes)

function readRecordOf(descriptor: number, path: string): { size: number } {
  const fileBytes = fstatSync(descriptor).size
  const start = Math.max(0, fileBytes - tailBytes)
  const length = fileBytes - start
  readExactly({ descriptor, path }, tail, length, start)
  const jsonBytes = length >= footerBytes ? tail.readUInt32BE(length - footerBytes) : -1
  const isFinished = magic.equals(tail.subarray(length - magic.length, length))
  const jsonStart = fileBytes - footerBytes - jsonBytes
  if (!isFinished || jsonBytes < 0 || jsonStart < 0) throw new Error(`${path} is damaged: it has no end`)
  const record = JSON.parse(readJson({ descriptor, path }, jsonStart, jsonBytes, start)) as { size: number }
  if (record.size !== jsonStart) throw new Error(`${path} is damaged: it holds ${jsonStart} bytes, not ${record.size}`)
  return record
}

interface OpenRecord {
  readonly descriptor: number
  /** For the message of an error. */
  readonly path: string
}

function readJson(file: OpenRecord, jsonStart: number, jsonBytes: number, tailStart: number): string {
  if (jsonStart >= tailStart) return tail.toString('utf8', jsonStart - tailStart, jsonStart - tailStart + jsonBytes)
  const json = Buffer.alloc(jsonBytes)
  readExactly(file, json, jsonBytes, jsonStart)
  return json.toString('utf8')
}

function readExactly({ descriptor, path }: OpenRecord, into: Buffer, length: number, position: number): void {
  for (let done = 0; done < length;) {
    const count = readSync(descriptor, into, done, length - done, position + done)
    if (count === 0) throw new Error(`${path} is damaged: it ends too early`)
    done += count
  }
}

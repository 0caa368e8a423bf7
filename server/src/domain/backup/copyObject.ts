import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { type BlobStore, BlobStoreUnavailable } from '../../storage/blobStore.ts'
import { type BackupFolder, makeFolder, writeWhole } from './backupFolder.ts'

/** The facts of the row that the bytes have to agree with. */
export interface WantedObject {
  readonly key: string
  readonly byteSize: number
  readonly etag: string | null
  readonly sha256: string | null
}

const attempts = 3
const firstPauseMs = 500

/** Signed by this machine for itself, so the time of the bucket counts alone. */
const urlSeconds = 3_600

/**
 * Copies an object into the folder, in constant memory, and returns the SHA-256 of its bytes. Null if the object is missing or
 * its bytes are not those of the row, which a second answer over another connection has to confirm.
 */
export async function copyObject(store: BlobStore, folder: BackupFolder, wanted: WantedObject): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const sha256 = await copyOnce(store, folder, wanted)
      if (sha256 !== null || attempt >= attempts) return sha256
    } catch (error) {
      if (!(error instanceof BlobStoreUnavailable) || attempt >= attempts) throw error
    }
    await pause(firstPauseMs * attempt)
  }
}

async function copyOnce(store: BlobStore, folder: BackupFolder, wanted: WantedObject): Promise<string | null> {
  const response = await get(store, wanted.key)
  if (response === null) return null
  const path = folder.objectPath(wanted.key)
  await makeFolder(dirname(path))
  const sums = { sha256: createHash('sha256'), md5: createHash('md5'), byteSize: 0 }
  const summed = async function* (body: AsyncIterable<Buffer>) {
    for await (const chunk of body) {
      sums.sha256.update(chunk)
      sums.md5.update(chunk)
      sums.byteSize += chunk.length
      yield chunk
    }
  }
  let sha256: string | null = null
  try {
    await writeWhole(path, async (file) => {
      await pipeline(bodyOf(response), summed, file).catch(asUnavailable)
      sha256 = await proved(store, wanted, {
        sha256: sums.sha256.digest('hex'),
        md5: sums.md5.digest('hex'),
        byteSize: sums.byteSize,
      })
      // The file must not get its name.
      if (sha256 === null) throw new OtherBytes()
    })
  } catch (error) {
    if (!(error instanceof OtherBytes)) throw error
  }
  return sha256
}

class OtherBytes extends Error {}

interface Sums {
  readonly sha256: string
  readonly md5: string
  readonly byteSize: number
}

/** Compares with the row, or with the MD5 in the ETag. If neither can decide, the bucket is read a second time. */
async function proved(store: BlobStore, wanted: WantedObject, sums: Sums): Promise<string | null> {
  if (sums.byteSize !== wanted.byteSize) return null
  if (wanted.sha256 !== null) return wanted.sha256 === sums.sha256 ? sums.sha256 : null
  if (wanted.etag === sums.md5) return sums.sha256
  const second = await store.hash(wanted.key, { onNewConnection: true })
  return second?.sha256 === sums.sha256 && second.etag === wanted.etag ? sums.sha256 : null
}

/** Null if the store says that the object does not exist. */
async function get(store: BlobStore, key: string): Promise<Response | null> {
  const asked = { key, contentDisposition: 'attachment', contentType: 'application/octet-stream' }
  const url = store.signDownload({ ...asked, expiresInSeconds: urlSeconds, now: new Date() })
  // Fails after five minutes of silence.
  const response = await fetch(url, { headers: { 'accept-encoding': 'identity' } }).catch(asUnavailable)
  if (response.status === 200) return response
  await response.body?.cancel()
  if (response.status !== 404) throw new BlobStoreUnavailable(`GET was answered with ${response.status}`)
  // A missing bucket is a 404, too.
  return (await store.head(key, { onNewConnection: true })) === null ? null : asUnavailable(new Error('404'))
}

/** An error of the disk of the backup is not one of the bucket. */
function asUnavailable(error: unknown): never {
  const { code = '' } = error as NodeJS.ErrnoException
  if (diskErrors.has(code)) throw error
  throw new BlobStoreUnavailable('The bucket did not answer', { cause: error })
}

const diskErrors = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EACCES', 'EPERM', 'EMFILE'])

const bodyOf = ({ body }: Response): Readable => (body ? Readable.fromWeb(body) : Readable.from([]))

/** The SHA-256 of a file in the folder. */
export async function hashFile(path: string): Promise<string> {
  const sum = createHash('sha256')
  await pipeline(createReadStream(path), sum)
  return sum.digest('hex')
}

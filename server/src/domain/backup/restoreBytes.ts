import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import pMap from 'p-map'
import type { OtherEtag } from '../../database/backup/loadTables.ts'
import { type BlobStore, BlobStoreUnavailable } from '../../storage/blobStore.ts'
import type { BackupFolder } from './backupFolder.ts'
import { type BackedUpObject, BackupRefused, type Manifest } from './manifest.ts'
import { assertIntact, inBatches } from './verifyBackup.ts'

export interface BytesToRestore {
  readonly folder: BackupFolder
  readonly manifest: Manifest
  readonly blobs: BlobStore
  readonly progress: (line: string) => void
}

const objectsAtOnce = 16
const attempts = 4
const firstPauseMs = 500
const urlSeconds = 3_600
/** A larger file is streamed. */
const mostBytesInMemory = 1024 ** 2
const prefix = 'org/'

/** Refuses a bucket that has objects of tenants or was marked by a database. */
export async function assertEmptyBucket(blobs: BlobStore): Promise<void> {
  for (const each of [prefix, 'filegraph/']) {
    const { objects } = await blobs.list({ prefix: each, maxKeys: 1 })
    const [first] = objects
    if (first) throw new BackupRefused(`The bucket is not empty: it has ${first.key}. Restore into an empty bucket.`)
  }
}

/**
 * Puts the objects of the backup into the bucket, or those that an interrupted restore has not put there. Each file is
 * verified before it is sent, and the object after that.
 */
export async function putObjects({ folder, manifest, blobs, progress }: BytesToRestore): Promise<void> {
  let [count, sent] = [0, 0]
  const pairs = pairWithListing(folder.readObjects(manifest), listAll(blobs))
  for await (const batch of inBatches(pairs)) {
    const answers = await pMap(batch, (pair) => putUnlessThere(folder, blobs, pair), { concurrency: objectsAtOnce })
    count += batch.length
    sent += answers.filter(Boolean).length
    progress(`${count} of ${manifest.objects.count} objects, ${sent} sent`)
  }
}

/**
 * Lists the bucket and compares it with the backup. Returns the objects that have another ETag than in the backup, which are
 * none unless one of the two stores encrypts or the object was uploaded in parts.
 */
export async function compareBucket({ folder, manifest, blobs }: BytesToRestore): Promise<OtherEtag[]> {
  const other: OtherEtag[] = []
  for await (const { object, listed } of pairWithListing(folder.readObjects(manifest), listAll(blobs))) {
    const { key, byteSize, etag } = object
    if (listed?.byteSize !== byteSize) throw new BackupRefused(`The bucket does not have ${key} after it was sent.`)
    if (listed.etag !== etag) other.push({ key, etag: listed.etag })
  }
  return other
}

interface Listed {
  readonly key: string
  readonly byteSize: number
  readonly etag: string
}

interface Pair {
  readonly object: BackedUpObject
  readonly listed: Listed | null
}

/** Merges both in the order of their keys, in constant memory. Refuses an object that is not in the backup. */
async function* pairWithListing(
  objects: AsyncIterable<BackedUpObject>,
  listing: AsyncIterable<Listed>,
): AsyncGenerator<Pair> {
  const listed = listing[Symbol.asyncIterator]()
  let next = await listed.next()
  for await (const object of objects) {
    if (!next.done && next.value.key < object.key) throw notOfBackup(next.value.key)
    const isThere = !next.done && next.value.key === object.key
    yield { object, listed: isThere ? next.value : null }
    if (isThere) next = await listed.next()
  }
  if (!next.done) throw notOfBackup(next.value.key)
}

const notOfBackup = (key: string) =>
  new BackupRefused(`The bucket has an object that is not in the backup: ${key}. Restore into an empty bucket.`)

async function* listAll(blobs: BlobStore): AsyncGenerator<Listed> {
  for (let token: string | null | undefined; token !== null;) {
    const page = await blobs.list({ prefix, ...(token !== undefined && { continuationToken: token }) })
    yield* page.objects
    token = page.continuationToken
  }
}

/** Returns whether the object was sent. */
async function putUnlessThere(folder: BackupFolder, blobs: BlobStore, { object, listed }: Pair): Promise<boolean> {
  const { key, byteSize, etag, sha256 } = object
  // The store computed the same ETag from the same bytes.
  if (listed !== null && listed.byteSize === byteSize && listed.etag === etag) return false
  if (listed !== null) {
    if ((await blobs.hash(key))?.sha256 === sha256) return false
    throw new BackupRefused(`The bucket has other bytes under ${key}. Restore into an empty bucket.`)
  }
  await assertIntact(folder, object)
  for (let attempt = 1; ; attempt += 1) {
    try {
      await put(folder, blobs, object)
      return true
    } catch (error) {
      if (!(error instanceof BlobStoreUnavailable) || attempt >= attempts) throw error
      await pause(firstPauseMs * 2 ** attempt)
    }
  }
}

/** Sends the bytes on a signed URL, as a client does, so that no object can be overwritten. */
async function put(folder: BackupFolder, blobs: BlobStore, object: BackedUpObject): Promise<void> {
  const { key, byteSize, contentType, sha256 } = object
  const asked = { key, contentType, byteSize, sha256, expiresInSeconds: urlSeconds, now: new Date() }
  const { method, url, headers } = await blobs.signUpload(asked)
  const path = folder.objectPath(key)
  const whole = byteSize <= mostBytesInMemory ? await readFile(path) : null
  const body = whole ? new Uint8Array(whole) : (Readable.toWeb(createReadStream(path)) as ReadableStream)
  const sent = new Headers(headers.map(({ name, value }) => [name, value]))
  sent.set('content-length', String(byteSize))
  const request = { method, headers: sent, body, duplex: 'half' } as RequestInit
  const response = await fetch(url, request).catch((error: unknown) => {
    throw new BlobStoreUnavailable('The bucket did not take the bytes', { cause: error })
  })
  await response.body?.cancel()
  // 412: an attempt whose answer was lost has created the object. The comparison below decides.
  if (response.status !== 200 && response.status !== 412) {
    throw new BlobStoreUnavailable(`PUT was answered with ${response.status}`)
  }
  const stored = (response.headers.get('etag') ?? '').replaceAll('"', '')
  if (response.status === 200 && whole !== null && stored === hash('md5', whole)) return
  if ((await blobs.hash(key))?.sha256 === sha256) return
  throw new BackupRefused(`The bucket stored other bytes under ${key} than were sent.`)
}

import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { openCorsStore, type CorsStore } from './corsRule.ts'
import { openObjectStore, type ObjectStore } from './objectStore.ts'
import { S3Error } from './s3Error.ts'
import type { S3Request } from './s3Request.ts'
import { openUploadStore, type UploadStore } from './uploadStore.ts'
import type { ProvedSignature, Credentials } from './verifySignature.ts'

/** The bucket that an endpoint serves. */
export interface Bucket {
  readonly name: string
  readonly credentials: Credentials
  readonly objects: ObjectStore
  readonly uploads: UploadStore
  readonly cors: CorsStore
  readonly createdAt: Date
  readonly now: () => Date
  /**
   * Throws `ServiceUnavailable` while the folder is missing or not writable, for example after a disk was unmounted.
   * Without this check, every object in it would be reported as deleted.
   */
  refuseIfAway(): void
}

/** A request with a valid signature, for the bucket or for a key in it. */
export interface Call {
  readonly bucket: Bucket
  readonly request: S3Request
  readonly proved: ProvedSignature
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | number>>
  /** A string is XML. A stream has a `content-length`. */
  readonly body?: string | Readable
}

export type Operation = (call: Call) => Promise<Reply> | Reply

export interface BucketPlace {
  readonly directory: string
  readonly name: string
  readonly credentials: Credentials
  readonly now: () => Date
}

export function openBucket({ directory, name, credentials, now }: BucketPlace): Bucket {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw new RangeError(`"${name}" is not a valid bucket name`)
  const home = join(directory, name)
  // Key names are private, so no other user of the machine may list them.
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const objects = openObjectStore(home)
  let folder = objects.folder()
  return {
    name,
    credentials,
    objects,
    uploads: openUploadStore(join(home, 'uploads')),
    cors: openCorsStore(join(home, 'cors.json')),
    createdAt: statSync(home).birthtime,
    now,
    refuseIfAway() {
      const current = objects.folder()
      if (current === null) throw new S3Error('ServiceUnavailable')
      if (current === folder) return
      objects.reload()
      mkdirSync(join(home, 'uploads'), { recursive: true })
      folder = current
    },
  }
}

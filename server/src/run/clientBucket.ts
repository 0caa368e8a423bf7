import { LRUCache } from 'lru-cache'
import type { BucketDoor } from '../http/openServer.ts'
import type { BlobStore } from '../storage/blobStore.ts'
import { bucketAddress, type BucketOptions } from '../storage/bucketAddress.ts'
import { createUrlSigner } from '../storage/signing/signUrl.ts'
import { localBucketPath } from './addresses.ts'

/** The bucket as clients see it. */
export interface ClientBucket {
  /** Signs URLs that a client can reach if it reached the API at this address. */
  readonly blobsFor: (address: string) => BlobStore
  /** Where browsers send and fetch bytes, other than at the address of the page: scheme and host each. */
  readonly bucketOrigins: readonly string[]
  /** The way in to the local bucket. Null: the bucket is elsewhere. */
  readonly bucketDoor: BucketDoor | null
}

/** A bucket elsewhere has one address, for everybody. */
export function externalClientBucket(blobs: BlobStore, bucket: BucketOptions): ClientBucket {
  const forClients: BlobStore = { ...blobs, ...createUrlSigner(bucket) }
  const { origin } = bucketAddress(bucket.publicEndpoint ?? bucket.endpoint, bucket.bucket, bucket.forcePathStyle)
  return { blobsFor: () => forClients, bucketOrigins: [sourceOf(origin)], bucketDoor: null }
}

/** A content security policy cannot name an IPv6 address; the scheme is the closest that it can. */
const sourceOf = (origin: string): string => (origin.includes('[') ? new URL(origin).protocol : origin)

/** Clients choose the host that they name, so only some are remembered. */
const rememberedAddresses = 100

export interface LocalBucketParts {
  readonly bucket: BucketOptions
  readonly door: BucketDoor
  readonly publicUrl: string | null
}

/**
 * The local bucket lies at the address of the API, under a path of its own. A page that came from another address than
 * the public URL still finds it there, by the bucket's CORS rule.
 */
export function localClientBucket(blobs: BlobStore, { bucket, door, publicUrl }: LocalBucketParts): ClientBucket {
  const known = new LRUCache<string, BlobStore>({ max: rememberedAddresses })
  const remember = (address: string): BlobStore => {
    const signer = createUrlSigner({ ...bucket, publicEndpoint: `${address}${localBucketPath}` })
    const made: BlobStore = { ...blobs, ...signer }
    known.set(address, made)
    return made
  }
  return {
    blobsFor: (address) => known.get(address) ?? remember(address),
    // A page that came from the public URL itself needs none.
    bucketOrigins: publicUrl === null || publicUrl.includes('[') ? [] : [new URL(publicUrl).origin],
    bucketDoor: door,
  }
}

import { LRUCache } from 'lru-cache'
import type { BucketDoor } from '../http/openServer.ts'
import type { BlobStore } from '../storage/blobStore.ts'
import { bucketAddress, type BucketOptions } from '../storage/bucketAddress.ts'
import { createUrlSigner } from '../storage/signing/signUrl.ts'
import { localBucketPath } from './addresses.ts'

/** The bucket from the view of clients. */
export interface ClientBucket {
  /** Returns a bucket whose signed URLs work for a client that reached the API at this address. */
  readonly blobsFor: (address: string) => BlobStore
  /** Origins other than that of the page to which browsers send and from which they fetch bytes. */
  readonly bucketOrigins: readonly string[]
  /** Serves requests to the local bucket. Null if the bucket is external. */
  readonly bucketDoor: BucketDoor | null
}

/** An external bucket has the same address for every client. */
export function externalClientBucket(blobs: BlobStore, bucket: BucketOptions): ClientBucket {
  const forClients: BlobStore = { ...blobs, ...createUrlSigner(bucket) }
  const { origin } = bucketAddress(bucket.publicEndpoint ?? bucket.endpoint, bucket.bucket, bucket.forcePathStyle)
  return { blobsFor: () => forClients, bucketOrigins: [sourceOf(origin)], bucketDoor: null }
}

/** A content security policy cannot contain an IPv6 address. The scheme is the closest source that it can contain. */
const sourceOf = (origin: string): string => (origin.includes('[') ? new URL(origin).protocol : origin)

/** Clients choose the Host header, so the number of remembered addresses is bounded. */
const rememberedAddresses = 100

export interface LocalBucketParts {
  readonly bucket: BucketOptions
  readonly door: BucketDoor
  readonly publicUrl: string | null
}

/**
 * The local bucket shares the address of the API, below its own path. A page from an address other than the public URL
 * reaches it through the CORS rule of the bucket.
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
    // A page from the public URL shares its origin.
    bucketOrigins: publicUrl === null || publicUrl.includes('[') ? [] : [new URL(publicUrl).origin],
    bucketDoor: door,
  }
}

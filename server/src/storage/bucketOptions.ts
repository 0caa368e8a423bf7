/** Where a bucket is and who we are to it: everything that `S3_*` says, and all that the storage layer is told. */
export interface BucketOptions {
  /** The address that this process uses, for example `https://s3.eu-central-1.amazonaws.com`. May carry a path. */
  readonly endpoint: string
  /** `auto` for Cloudflare R2. */
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** True: `endpoint/bucket/key`; false: `bucket.endpoint/key`. */
  readonly forcePathStyle: boolean
  /** The address that clients see, when it is not `endpoint`. Signed URLs point there. */
  readonly publicEndpoint?: string | undefined
}

import { GetBucketCorsCommand, PutBucketCorsCommand, type CORSRule, type S3Client } from '@aws-sdk/client-s3'
import type { BucketOptions } from './bucketOptions.ts'
import { createS3Client } from './s3Client.ts'
import { describeFailure, unavailable } from './s3Failure.ts'

/** The headers of a signed upload, which a browser asks leave for before it sends them. */
export const uploadHeaders = ['content-type', 'if-none-match', 'x-amz-checksum-sha256'] as const

const ruleId = 'filegraph-browser-access'

export interface AppliedCors {
  readonly origins: readonly string[]
  /** How many rules of others stand beside ours, unchanged. */
  readonly otherRules: number
}

/**
 * Lets browsers on these origins upload to and download from the bucket by signed URLs. Our one rule replaces the one
 * that an earlier call left (known by its id, or by being the same in all but its origins where a store keeps no ids);
 * rules of others stay as they are and in front. The store is asked again before this resolves. Rejects with
 * `BlobStoreUnavailable` when the store refuses or forgets the rule, which on Cloudflare R2 needs a token for admins.
 */
export async function applyCors(options: BucketOptions, origins: readonly string[]): Promise<AppliedCors> {
  origins.forEach(refuseBadOrigin)
  if (origins.length === 0) throw new RangeError('Name at least one origin, for example https://files.example.com')
  const client = createS3Client(options)
  try {
    const others = (await readRules(client, options.bucket)).filter((rule) => !isOurs(rule))
    const CORSRules = [...others, ruleFor(origins)]
    await client.send(new PutBucketCorsCommand({ Bucket: options.bucket, CORSConfiguration: { CORSRules } }))
    const readBack = (await readRules(client, options.bucket)).filter(isOurs)
    const isKept = readBack.some(({ AllowedOrigins }) => origins.every((origin) => AllowedOrigins?.includes(origin)))
    if (!isKept) throw new Error('The store accepted the CORS rule and did not keep it')
    return { origins, otherRules: others.length }
  } catch (error) {
    throw unavailable('PutBucketCors', error)
  } finally {
    client.destroy()
  }
}

async function readRules(client: S3Client, bucket: string): Promise<readonly CORSRule[]> {
  try {
    return (await client.send(new GetBucketCorsCommand({ Bucket: bucket }))).CORSRules ?? []
  } catch (error) {
    if (describeFailure(error).code === 'NoSuchCORSConfiguration') return []
    throw error
  }
}

function ruleFor(origins: readonly string[]): CORSRule {
  return {
    ID: ruleId,
    AllowedOrigins: [...origins],
    AllowedMethods: ['GET', 'HEAD', 'PUT'],
    AllowedHeaders: [...uploadHeaders, 'range'],
    ExposeHeaders: ['ETag', 'Content-Range', 'Content-Disposition'],
    MaxAgeSeconds: 3_600,
  }
}

function isOurs(rule: CORSRule): boolean {
  if (rule.ID) return rule.ID === ruleId
  const { AllowedMethods, AllowedHeaders, ExposeHeaders } = ruleFor([])
  return (
    isSameSet(rule.AllowedMethods, AllowedMethods) &&
    isSameSet(rule.AllowedHeaders, AllowedHeaders) &&
    isSameSet(rule.ExposeHeaders, ExposeHeaders)
  )
}

function isSameSet(a: readonly string[] = [], b: readonly string[] = []): boolean {
  const plain = (list: readonly string[]) =>
    list
      .map((item) => item.toLowerCase())
      .toSorted()
      .join()
  return plain(a) === plain(b)
}

function refuseBadOrigin(origin: string): void {
  if (origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)) return
  throw new RangeError(`${origin} is no origin; one looks like https://files.example.com, without a slash at the end`)
}

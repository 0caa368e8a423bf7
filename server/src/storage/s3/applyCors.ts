import { GetBucketCorsCommand, PutBucketCorsCommand, type CORSRule, type S3Client } from '@aws-sdk/client-s3'
import type { BucketOptions } from '../bucketAddress.ts'
import { createS3Client } from './s3Client.ts'
import { describeFailure, unavailable } from './s3Failure.ts'

/** The headers of a signed upload that a browser may send only after a preflight. */
export const uploadHeaders = ['content-type', 'if-none-match', 'x-amz-checksum-sha256'] as const

/** The response headers that a page may read: the name and the size of a download, and the range that was returned. */
export const exposedHeaders = [
  'ETag',
  'Content-Disposition',
  'Content-Length',
  'Content-Range',
  'Accept-Ranges',
] as const

const ruleId = 'filegraph-browser-access'

export interface AppliedCors {
  readonly origins: readonly string[]
  /** The number of other rules, which stay unchanged. */
  readonly otherRules: number
}

/**
 * Lets browsers on these origins upload to and download from the bucket by signed URLs. Replaces the rule of an earlier
 * call or version, and keeps other rules before it. Reads the rules back before it resolves. Rejects with
 * `BlobStoreUnavailable` if the store refuses or forgets the rule. Cloudflare R2 requires an admin token.
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
    AllowedHeaders: [...uploadHeaders, 'range', 'if-range'],
    ExposeHeaders: [...exposedHeaders],
    MaxAgeSeconds: 3_600,
  }
}

/** The rule of 0.1.0: as `cors apply` wrote it, and as the README showed it. */
const formerRules: readonly Pick<CORSRule, 'AllowedHeaders' | 'ExposeHeaders'>[] = [
  { AllowedHeaders: [...uploadHeaders, 'range'], ExposeHeaders: ['ETag', 'Content-Range', 'Content-Disposition'] },
  { AllowedHeaders: [...uploadHeaders], ExposeHeaders: ['ETag'] },
]

/** Some stores keep no rule ids. There, everything but the origins identifies our rule. */
function isOurs(rule: CORSRule): boolean {
  if (rule.ID) return rule.ID === ruleId
  const ours = ruleFor([])
  return (
    isSameSet(rule.AllowedMethods, ours.AllowedMethods) &&
    [ours, ...formerRules].some(
      ({ AllowedHeaders, ExposeHeaders }) =>
        isSameSet(rule.AllowedHeaders, AllowedHeaders) && isSameSet(rule.ExposeHeaders, ExposeHeaders),
    )
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
  throw new RangeError(
    `${origin} is not an origin; one looks like https://files.example.com, without a slash at the end`,
  )
}

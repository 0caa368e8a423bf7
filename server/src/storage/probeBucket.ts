import { randomUUID } from 'node:crypto'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { BucketOptions } from './bucketOptions.ts'
import { probeCors } from './probeCors.ts'
import { probeUploads } from './probeUploads.ts'
import { createS3BlobStore } from './s3BlobStore.ts'
import { createS3Client, type S3Patience } from './s3Client.ts'
import { describeFailure } from './s3Failure.ts'
import type { BucketFinding, BucketProbe } from './bucketProbe.ts'

const patience: S3Patience = { connectMilliseconds: 3_000, answerMilliseconds: 10_000, attempts: 2 }
const harmlessSkewSeconds = 60
const probeFolder = 'filegraph-doctor/'

/**
 * Finds out which of the behaviours that Filegraph relies on a bucket has, by trying them on objects of its own, which
 * it removes. Never rejects: what cannot be found out is a finding too. Stops after the first finding without which the
 * others mean nothing. `origins` are those of browsers that will upload, for the CORS findings.
 */
export async function probeBucket(
  options: BucketOptions,
  origins: readonly string[] = [],
): Promise<readonly BucketFinding[]> {
  const answer = await reachEndpoint(options)
  if (answer.date === undefined) return [answer.finding]
  const findings = [answer.finding, clockFinding(answer.date)]
  const client = createS3Client(options, patience)
  const store = createS3BlobStore(options, patience)
  const probe: BucketProbe = { options, client, store, prefix: `${probeFolder}${randomUUID()}/` }
  try {
    const credentials = await credentialsFinding(probe)
    findings.push(credentials)
    if (credentials.ok !== true) return findings
    findings.push(...(await probeUploads(probe)), ...(await probeCors(probe, origins)))
    findings.push(...(await cleanUp(probe)))
    return findings
  } finally {
    client.destroy()
    store.close()
  }
}

async function reachEndpoint({ endpoint }: BucketOptions): Promise<{ finding: BucketFinding; date?: string | null }> {
  const behaviour = 'reachable'
  try {
    const signal = AbortSignal.timeout(patience.answerMilliseconds)
    const response = await fetch(endpoint, { method: 'HEAD', redirect: 'manual', signal })
    const finding = { behaviour, ok: true, detail: `${new URL(endpoint).host} answers HTTP` }
    return { finding, date: response.headers.get('date') }
  } catch (error) {
    const { code, message } = describeFailure(error instanceof Error && error.cause ? error.cause : error)
    const detail = `${endpoint} does not answer (${code}: ${message})`
    const advice = 'Check S3_ENDPOINT, the name server, the firewall, and the certificate.'
    return { finding: { behaviour, ok: false, detail, advice } }
  }
}

function clockFinding(date: string | null): BucketFinding {
  const behaviour = 'clocks agree'
  const seconds = Math.round((Date.now() - Date.parse(date ?? '')) / 1000)
  if (Number.isNaN(seconds)) return { behaviour, ok: 'unknown', detail: 'The store sends no Date header' }
  const detail = `This machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the store`
  if (Math.abs(seconds) <= harmlessSkewSeconds) return { behaviour, ok: true, detail }
  const advice = 'Set the clock of this machine by NTP: signatures are refused when clocks differ by 15 minutes.'
  return { behaviour, ok: false, detail, advice }
}

const adviceByCode: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Create the bucket, or correct S3_BUCKET and S3_FORCE_PATH_STYLE.',
  InvalidAccessKeyId: 'Correct S3_ACCESS_KEY_ID.',
  SignatureDoesNotMatch: 'Correct S3_SECRET_ACCESS_KEY or S3_REGION.',
  AccessDenied: 'Allow this key to list, read, write and delete objects of this bucket.',
  RequestTimeTooSkewed: 'Set the clock of this machine by NTP.',
  AuthorizationHeaderMalformed: 'Correct S3_REGION.',
  PermanentRedirect: 'Correct S3_REGION and S3_ENDPOINT: the bucket lives elsewhere.',
}

async function credentialsFinding({ client, options, prefix }: BucketProbe): Promise<BucketFinding> {
  const behaviour = 'credentials accepted'
  try {
    await client.send(new ListObjectsV2Command({ Bucket: options.bucket, Prefix: prefix, MaxKeys: 1 }))
    return { behaviour, ok: true, detail: `The bucket ${options.bucket} can be listed` }
  } catch (error) {
    const { code, status } = describeFailure(error)
    const detail = `The bucket ${options.bucket} cannot be listed (${code}${status ? `, HTTP ${status}` : ''})`
    const advice = adviceByCode[code] ?? 'Check S3_BUCKET, S3_REGION and the credentials.'
    return { behaviour, ok: false, detail, advice }
  }
}

async function cleanUp({ store, prefix }: BucketProbe): Promise<readonly BucketFinding[]> {
  const behaviour = 'objects can be deleted'
  try {
    const { objects } = await store.list({ prefix })
    const { failed } = await store.delete(objects.map(({ key }) => key))
    const refused = failed.map(({ key, code }) => `${key} (${code})`).join(', ')
    if (failed.length === 0) return [{ behaviour, ok: true, detail: `${objects.length} probe objects removed` }]
    throw new Error(`The store kept ${refused}`)
  } catch (error) {
    const detail = `${describeFailure(error).message}; objects under ${prefix} may be left`
    return [{ behaviour, ok: false, detail, advice: 'Allow this key to delete objects; purging needs it.' }]
  }
}

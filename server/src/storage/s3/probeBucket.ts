import { randomUUID } from 'node:crypto'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { BucketOptions } from '../bucketAddress.ts'
import { exposedHeaders, uploadHeaders } from './applyCors.ts'
import { ask, sendUpload, settle, type BucketFinding, type BucketProbe } from './bucketProbe.ts'
import { probeUploads } from './probeUploads.ts'
import { createS3BlobStore } from './s3BlobStore.ts'
import { createS3Client, type S3Patience } from './s3Client.ts'
import { describeFailure } from './s3Failure.ts'

const corsAdvice = 'Run the command `cors apply`, or add the CORS rule from the README to the bucket.'
const items = (header: string | null) => (header ?? '').split(',').map((item) => item.trim().toLowerCase())

/** Sends the preflights of an upload and a download for each origin. */
async function probeCors(probe: BucketProbe, origins: readonly string[]): Promise<readonly BucketFinding[]> {
  const findings: BucketFinding[] = []
  for (const origin of origins) {
    const upload = `browser uploads from ${origin}`
    const download = `browser downloads from ${origin}`
    findings.push(await settle(upload, () => probePreflight(probe, upload, origin)))
    findings.push(await settle(download, () => probeDownload(probe, download, origin)))
  }
  return findings
}

async function sign({ store, prefix }: BucketProbe) {
  const key = `${prefix}${randomUUID()}.txt`
  const common = { key, contentType: 'text/plain', expiresInSeconds: 300, now: new Date() }
  const download = store.signDownload({ ...common, contentDisposition: 'attachment; filename="a.txt"' })
  return { upload: await store.signUpload({ ...common, byteSize: 1 }), download }
}

async function probePreflight(probe: BucketProbe, behaviour: string, origin: string): Promise<BucketFinding> {
  const headers = {
    origin,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': uploadHeaders.join(','),
  }
  const response = await ask((await sign(probe)).upload.url, { method: 'OPTIONS', headers })
  await response.arrayBuffer()
  const missing = missingLeave(response, origin)
  if (missing === null) return { behaviour, ok: true, detail: 'The preflight of an upload is granted' }
  return { behaviour, ok: false, detail: `The preflight of an upload is refused: ${missing}`, advice: corsAdvice }
}

function missingLeave(response: Response, origin: string): string | null {
  if (!response.ok) return `HTTP ${response.status}`
  const allows = (name: string) => items(response.headers.get(`access-control-allow-${name}`))
  if (!admits(response, origin)) return 'the origin is not allowed'
  const methods = allows('methods')
  if (!methods.includes('put') && !methods.includes('*')) return 'PUT is not allowed'
  const headers = allows('headers')
  const absent = headers.includes('*') ? [] : uploadHeaders.filter((name) => !headers.includes(name))
  return absent.length === 0 ? null : `these headers are not allowed: ${absent.join(', ')}`
}

async function probeDownload(probe: BucketProbe, behaviour: string, origin: string): Promise<BucketFinding> {
  const { upload, download } = await sign(probe)
  await sendUpload(upload, 'a')
  const response = await ask(download, { headers: { origin } })
  await response.arrayBuffer()
  if (!admits(response, origin))
    return { behaviour, ok: false, detail: 'A page may not read what it downloads', advice: corsAdvice }
  const exposed = items(response.headers.get('access-control-expose-headers'))
  const hidden = exposed.includes('*') ? [] : exposedHeaders.filter((name) => !exposed.includes(name.toLowerCase()))
  if (hidden.length === 0) return { behaviour, ok: true, detail: 'A page may read what it downloads' }
  const detail = `A page may read what it downloads, but not these headers: ${hidden.join(', ')}`
  return { behaviour, ok: false, detail, advice: corsAdvice }
}

function admits(response: Response, origin: string): boolean {
  return ['*', origin].includes(response.headers.get('access-control-allow-origin') ?? '')
}

const patience: S3Patience = { connectMilliseconds: 3_000, answerMilliseconds: 10_000, attempts: 2 }
const harmlessSkewSeconds = 60
const probeFolder = 'filegraph-doctor/'

/**
 * Tests the behaviours that Filegraph relies on, with temporary objects. Never rejects: an unknown result is a finding
 * too. Stops after the first finding that makes the others meaningless. `origins` are the origins of browsers that will
 * upload, for the CORS findings.
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

import { createHash, randomUUID } from 'node:crypto'
import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, ListPartsCommand } from '@aws-sdk/client-s3'
import type { SignedUpload, UploadToSign } from '../blobStore.ts'
import { sendUpload, settle, type BucketFinding, type BucketProbe, ask } from './bucketProbe.ts'
import { describeFailure } from './s3Failure.ts'

const body = 'probe'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const isDone = (status: number) => status >= 200 && status < 300

type Probe = (probe: BucketProbe) => Promise<BucketFinding>

/** The required behaviours for signed uploads and downloads, in the order of the report. */
const probes: Readonly<Record<string, Probe>> = {
  'conditional upload': probeCondition,
  'content length is bound': probeLength,
  'content type is bound': probeType,
  'expiry is honoured': probeExpiry,
  'checksum is verified': probeVerifiedChecksum,
  'checksum is confirmed': probeConfirmedChecksum,
  'download overrides': probeOverrides,
  'multipart uploads can be aborted': probeMultipart,
}

export async function probeUploads(probe: BucketProbe): Promise<readonly BucketFinding[]> {
  const findings: BucketFinding[] = []
  for (const [behaviour, run] of Object.entries(probes)) findings.push(await settle(behaviour, () => run(probe)))
  return findings
}

async function sign(
  { store, prefix }: BucketProbe,
  upload: Partial<UploadToSign> = {},
): Promise<SignedUpload & { key: string }> {
  const key = `${prefix}${randomUUID()}.txt`
  const usual = { key, contentType: 'text/plain', byteSize: body.length, expiresInSeconds: 300, now: new Date() }
  return { ...(await store.signUpload({ ...usual, ...upload })), key }
}

async function probeCondition(probe: BucketProbe): Promise<BucketFinding> {
  const behaviour = 'conditional upload'
  const signed = await sign(probe)
  const first = await sendUpload(signed, body)
  if (!isDone(first)) {
    const detail = `A signed upload is refused (HTTP ${first})`
    const advice = 'Check that this key may write, and that S3_PUBLIC_ENDPOINT leads to the same bucket.'
    return { behaviour, ok: false, detail, advice }
  }
  const second = await sendUpload(signed, body)
  if (second === 412) return { behaviour, ok: true, detail: 'The same URL cannot overwrite (HTTP 412)' }
  const detail = `A second upload by the same URL is answered with HTTP ${second}, not 412`
  const advice = 'Use a store that honours if-none-match: with this one, bytes can change after they were accepted.'
  return { behaviour, ok: false, detail, advice }
}

async function probeLength(probe: BucketProbe): Promise<BucketFinding> {
  const status = await sendUpload(await sign(probe), `${body}!`)
  return refusalFinding('content length is bound', 'A longer body than signed', status)
}

async function probeType(probe: BucketProbe): Promise<BucketFinding> {
  const status = await sendUpload(await sign(probe), body, 'text/html')
  return refusalFinding('content type is bound', 'Another content type than signed', status)
}

async function probeExpiry(probe: BucketProbe): Promise<BucketFinding> {
  const now = new Date(Date.now() - 3_600_000)
  const status = await sendUpload(await sign(probe, { now, expiresInSeconds: 60 }), body)
  return refusalFinding('expiry is honoured', 'An expired URL', status)
}

function refusalFinding(behaviour: string, what: string, status: number): BucketFinding {
  if (!isDone(status)) return { behaviour, ok: true, detail: `${what} is refused (HTTP ${status})` }
  const advice = 'Use another store or a newer version: what is signed does not bind here; only the commit still looks.'
  return { behaviour, ok: false, detail: `${what} is accepted (HTTP ${status})`, advice }
}

async function probeVerifiedChecksum(probe: BucketProbe): Promise<BucketFinding> {
  const behaviour = 'checksum is verified'
  const status = await sendUpload(await sign(probe, { sha256: sha256('other') }), body)
  if (!isDone(status)) return { behaviour, ok: true, detail: `A body with a false SHA-256 is refused (HTTP ${status})` }
  const detail = 'The store takes a body whose SHA-256 is not the declared one'
  return { behaviour, ok: false, detail, advice: 'None needed: the commit reads and hashes the bytes itself.' }
}

async function probeConfirmedChecksum(probe: BucketProbe): Promise<BucketFinding> {
  const behaviour = 'checksum is confirmed'
  const signed = await sign(probe, { sha256: sha256(body) })
  const status = await sendUpload(signed, body)
  const advice = 'None needed: the commit reads and hashes the bytes itself.'
  if (!isDone(status)) {
    const detail = `An upload with a true SHA-256 is refused (HTTP ${status})`
    return { behaviour, ok: false, detail, advice: 'Declare no SHA-256 with this store.' }
  }
  const stored = await probe.store.head(signed.key)
  if (stored?.sha256 === sha256(body)) return { behaviour, ok: true, detail: 'HEAD tells the SHA-256 of an object' }
  return { behaviour, ok: false, detail: 'HEAD does not tell the SHA-256 of an object', advice }
}

async function probeOverrides(probe: BucketProbe): Promise<BucketFinding> {
  const behaviour = 'download overrides'
  const { key, ...signed } = await sign(probe)
  await sendUpload(signed, body)
  const contentDisposition = `attachment; filename="a_.txt"; filename*=UTF-8''a%C3%A9.txt`
  const contentType = 'application/octet-stream'
  const url = probe.store.signDownload({ key, contentDisposition, contentType, expiresInSeconds: 300, now: new Date() })
  const response = await ask(url, {})
  await response.arrayBuffer()
  const sent = [response.headers.get('content-disposition'), response.headers.get('content-type')]
  if (response.status === 200 && sent[0] === contentDisposition && sent[1] === contentType) {
    return { behaviour, ok: true, detail: 'A download comes under the name and type that were signed' }
  }
  const detail = `A download comes as HTTP ${response.status}, type ${sent[1]}, disposition ${sent[0]}`
  const advice = 'Check that no proxy before the store drops response-content-* parameters or headers.'
  return { behaviour, ok: false, detail, advice }
}

async function probeMultipart({ client, options, prefix }: BucketProbe): Promise<BucketFinding> {
  const behaviour = 'multipart uploads can be aborted'
  const object = { Bucket: options.bucket, Key: `${prefix}${randomUUID()}.bin` }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object))
  await client.send(new AbortMultipartUploadCommand({ ...object, UploadId }))
  const code = await client.send(new ListPartsCommand({ ...object, UploadId })).then(
    () => 'still there',
    (error: unknown) => describeFailure(error).code,
  )
  if (code === 'NoSuchUpload') return { behaviour, ok: true, detail: 'An aborted upload is gone' }
  const advice = 'Add a lifecycle rule to the bucket that ends incomplete multipart uploads after a day.'
  return { behaviour, ok: false, detail: `An aborted upload is answered with ${code}`, advice }
}

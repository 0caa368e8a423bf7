import { randomUUID } from 'node:crypto'
import { exposedHeaders, uploadHeaders } from './applyCors.ts'
import { ask, sendUpload, settle, type BucketFinding, type BucketProbe } from './bucketProbe.ts'

const advice = 'Run the command `cors apply`, or add the CORS rule from the README to the bucket.'
const items = (header: string | null) => (header ?? '').split(',').map((item) => item.trim().toLowerCase())

/** Asks the store what a browser on each origin would ask: may the page upload, and may it read a download? */
export async function probeCors(probe: BucketProbe, origins: readonly string[]): Promise<readonly BucketFinding[]> {
  const findings: BucketFinding[] = []
  for (const origin of origins) {
    const upload = `browser uploads from ${origin}`
    const download = `browser downloads from ${origin}`
    findings.push(await settle(upload, () => probePreflight(probe, upload, origin)))
    findings.push(await settle(download, () => probeDownload(probe, download, origin)))
  }
  return findings
}

function sign({ store, prefix }: BucketProbe) {
  const key = `${prefix}${randomUUID()}.txt`
  const common = { key, contentType: 'text/plain', expiresInSeconds: 300, now: new Date() }
  const download = store.signDownload({ ...common, contentDisposition: 'attachment; filename="a.txt"' })
  return { upload: store.signUpload({ ...common, byteSize: 1 }), download }
}

async function probePreflight(probe: BucketProbe, behaviour: string, origin: string): Promise<BucketFinding> {
  const headers = {
    origin,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': uploadHeaders.join(','),
  }
  const response = await ask(sign(probe).upload.url, { method: 'OPTIONS', headers })
  await response.arrayBuffer()
  const missing = missingLeave(response, origin)
  if (missing === null) return { behaviour, ok: true, detail: 'The preflight of an upload is granted' }
  return { behaviour, ok: false, detail: `The preflight of an upload is refused: ${missing}`, advice }
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
  const { upload, download } = sign(probe)
  await sendUpload(upload, 'a')
  const response = await ask(download, { headers: { origin } })
  await response.arrayBuffer()
  if (!admits(response, origin))
    return { behaviour, ok: false, detail: 'A page may not read what it downloads', advice }
  const exposed = items(response.headers.get('access-control-expose-headers'))
  const hidden = exposed.includes('*') ? [] : exposedHeaders.filter((name) => !exposed.includes(name.toLowerCase()))
  if (hidden.length === 0) return { behaviour, ok: true, detail: 'A page may read what it downloads' }
  const detail = `A page may read what it downloads, but not these headers: ${hidden.join(', ')}`
  return { behaviour, ok: false, detail, advice }
}

function admits(response: Response, origin: string): boolean {
  return ['*', origin].includes(response.headers.get('access-control-allow-origin') ?? '')
}

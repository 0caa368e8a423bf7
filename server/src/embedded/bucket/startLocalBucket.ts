import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerRequest, privateEndpoint } from './answerRequest.ts'
import { openBucket, type Bucket } from './bucket.ts'
import { closeMilliseconds, keepAliveMilliseconds, strayFileSweepMilliseconds } from './limits.ts'
import { openPublicDoor, type PublicDoor, type PublicPlace } from './publicDoor.ts'

export interface LocalBucketOptions {
  /** The directory of the objects. Created if it is missing. Only one running endpoint may use it. */
  readonly directory: string
  /** The name of the bucket. Created if it is missing. */
  readonly bucket: string
  /** For example `us-east-1`. */
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Default: `127.0.0.1`. */
  readonly host?: string
  /** Default: any free port. */
  readonly port?: number
  /** The clock that checks the time of signatures. */
  readonly now?: () => Date
  /** Origins whose pages may read and write with signed URLs. They replace a stored rule. Default: the stored rule. */
  readonly corsOrigins?: readonly string[]
  /** Called for each failure that is not a refusal. The endpoint itself never logs. */
  readonly reportBug?: (error: unknown) => void
}

export interface LocalBucket {
  /** `http://127.0.0.1:4001` */
  readonly endpoint: string
  readonly port: number
  /** Opens access for clients on a server of the caller. */
  openPublicDoor(place: PublicPlace): PublicDoor
  /** Accepts no more requests. Resolves when those in flight are answered, or after a timeout. */
  close(): Promise<void>
}

/** Serves one S3 bucket from a directory. Rejects if the address is in use or the directory is not writable. */
export async function startLocalBucket(options: LocalBucketOptions): Promise<LocalBucket> {
  const { directory, bucket: name, host = '127.0.0.1', now = () => new Date() } = options
  const { region, accessKeyId, secretAccessKey, reportBug = ignore } = options
  const bucket = openBucket({ directory, name, credentials: { region, accessKeyId, secretAccessKey }, now })
  if (options.corsOrigins) bucket.cors.replace(corsRules(options.corsOrigins))

  const server = createServer({ keepAliveTimeout: keepAliveMilliseconds, requestTimeout: 0, noDelay: true })
  const endpoint = privateEndpoint(bucket)
  const answer = (expectsContinue: boolean) => (http: IncomingMessage, response: ServerResponse) => {
    http.on('error', ignore)
    response.on('close', () => closeIfStopping(server))
    if (!server.listening) response.setHeader('connection', 'close')
    answerRequest(bucket, endpoint, { http, response, expectsContinue }, reportBug).catch((error: unknown) => {
      reportBug(error)
      response.destroy()
    })
  }
  server.on('request', answer(false))
  server.on('checkContinue', answer(true))
  await listen(server, options.port ?? 0, host)
  const sweep = startSweep(bucket, reportBug)
  const { port } = server.address() as AddressInfo
  const close = async () => {
    clearInterval(sweep)
    await closeServer(server)
  }
  return {
    endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    openPublicDoor: (place) => openPublicDoor(bucket, place, reportBug),
    close,
  }
}

/** A broken connection is detected where the request is read or answered. */
function ignore(): void {}

function corsRules(allowedOrigins: readonly string[]) {
  if (allowedOrigins.length === 0) return []
  const exposeHeaders = [
    'ETag',
    'Content-Disposition',
    'Content-Length',
    'Content-Range',
    'Accept-Ranges',
    'x-amz-checksum-sha256',
    'x-amz-request-id',
  ]
  return [
    {
      allowedOrigins,
      allowedMethods: ['GET', 'HEAD', 'PUT'],
      allowedHeaders: ['*'],
      exposeHeaders,
      maxAgeSeconds: 3600,
    },
  ]
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function startSweep(bucket: Bucket, reportBug: (error: unknown) => void): NodeJS.Timeout {
  const sweep = async () => bucket.objects.sweepStrays(new Date())
  return setInterval(() => void sweep().catch(reportBug), strayFileSweepMilliseconds).unref()
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const timer = setTimeout(() => server.closeAllConnections(), closeMilliseconds)
  await closed
  clearTimeout(timer)
}

/** A connection that was busy when the server closed would otherwise be kept alive. */
function closeIfStopping(server: Server): void {
  if (!server.listening) setImmediate(() => server.closeIdleConnections())
}

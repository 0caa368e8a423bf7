import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerRequest, runRequest, type Endpoint } from './answerRequest.ts'
import type { Bucket, Reply } from './bucket.ts'
import { S3Error } from './s3Error.ts'
import { readTarget, splitTarget, type S3Request, type SignedAddress } from './s3Request.ts'

/** Where clients reach the bucket on a server that also serves other things. */
export interface PublicPlace {
  /** The path under which the server serves the bucket: `/bucket`. */
  readonly path: string
  /** The public URL of that server, without a trailing slash, if there is one: `https://example.test/files`. */
  readonly publicUrl: string | null
}

/** Serves signed uploads and downloads of single objects, and nothing else of S3. */
export interface PublicDoor {
  /** Whether a request is for the bucket. */
  isFor(http: IncomingMessage): boolean
  /** Answers it. Never rejects. Headers that are already set on the response are sent too. */
  answer(http: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void>
}

export function openPublicDoor(
  bucket: Bucket,
  { path, publicUrl }: PublicPlace,
  reportBug: (error: unknown) => void,
): PublicDoor {
  const url = publicUrl === null ? null : new URL(publicUrl)
  // A proxy passes the path on with the prefix of the public URL, or without it.
  const mounts = [...new Set([`${url?.pathname.replace(/\/$/, '') ?? ''}${path}`, path])]
  const hosts = url === null ? [null] : [url.host, null]
  const mountOf = (target: string) => mounts.find((mount) => target === mount || target.startsWith(`${mount}/`))

  const endpoint: Endpoint = {
    read(http, invite) {
      const request = readTarget(http, invite, mountOf(splitTarget(http.url ?? '/')[0]))
      return { ...request, signedAddresses: signedAddresses(http, hosts, mounts) }
    },
    async run(request) {
      refuseUnlessPublic(request)
      return withoutActiveContent(await runRequest(bucket, request))
    },
  }
  return {
    isFor: (http) => mountOf(splitTarget(http.url ?? '/')[0]) !== undefined,
    async answer(http, response, expectsContinue) {
      http.on('error', () => undefined)
      await answerRequest(bucket, endpoint, { http, response, expectsContinue }, reportBug).catch((error: unknown) => {
        reportBug(error)
        response.destroy()
      })
    },
  }
}

/**
 * A proxy may replace the host by its own name for this server, and pass the original one in a header of its own. A client that
 * sends such a header gains nothing: the signature, which only we can make, has to fit.
 */
function signedAddresses(
  http: IncomingMessage,
  hosts: readonly (string | null)[],
  pathPrefixes: readonly string[],
): SignedAddress[] {
  const forwarded = http.headersDistinct['x-forwarded-host']?.at(-1)?.split(',').at(-1)?.trim().toLowerCase()
  const all = forwarded ? [...hosts, forwarded] : hosts
  return all.flatMap((host) => pathPrefixes.map((pathPrefix) => ({ host, pathPrefix })))
}

const publicMethods = new Set(['GET', 'HEAD', 'PUT', 'OPTIONS'])

/** The rest of S3 (listings, deletes, CORS rules) is for our own processes, which have an endpoint on loopback. */
function refuseUnlessPublic(request: S3Request): void {
  if (!publicMethods.has(request.method)) throw new S3Error('MethodNotAllowed')
  if (request.method === 'OPTIONS') return
  const isSignedUrl = request.http.headers.authorization === undefined
  if (request.key === '' || !isSignedUrl) throw new S3Error('AccessDenied')
}

/** Types that a browser shows without running anything in them. SVG can hold scripts; PDF viewers do not run in a sandbox. */
const passive = /^(?:image\/(?!svg)[\w.+-]+|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)\s*(?:;|$)/i

/**
 * The bucket shares its origin with the console. The signer already decides what may be shown in place; this holds it
 * again where the bytes leave: anything but a passive type is an attachment.
 */
function withoutActiveContent(reply: Reply): Reply {
  const type = String(reply.headers?.['content-type'] ?? '')
  if (!reply.headers || passive.test(type)) return reply
  const disposition = String(reply.headers['content-disposition'] ?? 'attachment').replace(
    /^\s*inline\b/i,
    'attachment',
  )
  return { ...reply, headers: { ...reply.headers, 'content-disposition': disposition } }
}

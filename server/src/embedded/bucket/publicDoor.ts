import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerRequest, runRequest, type Endpoint } from './answerRequest.ts'
import type { Bucket, Reply } from './bucket.ts'
import { S3Error } from './s3Error.ts'
import { readTarget, splitTarget, type S3Request, type SignedAddress } from './s3Request.ts'

/** The URL of the bucket on a server with other routes. */
export interface PublicPlace {
  /** The path of the bucket on the server: `/bucket`. */
  readonly path: string
  /**
   * The public URL of that server, without a trailing slash, such as `https://example.test/files`. Null if there is
   * none.
   */
  readonly publicUrl: string | null
}

/** Serves signed uploads and downloads of single objects, and no other operation of S3. */
export interface PublicDoor {
  /** True if the request is for the bucket. */
  isFor(http: IncomingMessage): boolean
  /** Answers the request. Never rejects. Also sends headers that are already set on the response. */
  answer(http: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void>
}

export function openPublicDoor(
  bucket: Bucket,
  { path, publicUrl }: PublicPlace,
  reportBug: (error: unknown) => void,
): PublicDoor {
  const url = publicUrl === null ? null : new URL(publicUrl)
  // A proxy forwards the path with or without the prefix of the public URL.
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
 * A proxy can replace the host and forward the original one in a header. A client that forges such a header gains
 * nothing, because the signature must match.
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

/**
 * Other operations of S3 (listings, deletes, CORS rules) are for our own processes, which use the endpoint on loopback.
 */
function refuseUnlessPublic(request: S3Request): void {
  if (!publicMethods.has(request.method)) throw new S3Error('MethodNotAllowed')
  if (request.method === 'OPTIONS') return
  const isSignedUrl = request.http.headers.authorization === undefined
  if (request.key === '' || !isSignedUrl) throw new S3Error('AccessDenied')
}

/** Types that a browser displays without running code. SVG can contain scripts. PDF viewers do not run in a sandbox. */
const passive = /^(?:image\/(?!svg)[\w.+-]+|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)\s*(?:;|$)/i

/**
 * The bucket shares its origin with the console, so every type that is not passive becomes an attachment. The signer
 * decides this already. This check does not rely on it.
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

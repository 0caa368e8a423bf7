import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Exchange } from './answerRequest.ts'
import type { Reply } from './bucket.ts'
import { idleBodyMilliseconds, lingerBytes, lingerMilliseconds } from './limits.ts'

/**
 * Writes an answer. When the request's body was not read to its end the connection cannot be used again; it is closed
 * only after the rest was read, or too much of it: a client that is still sending when its connection is reset never
 * sees why.
 */
export async function sendReply({ http, response }: Exchange, reply: Reply, isInvited: boolean): Promise<void> {
  const stream = typeof reply.body === 'string' ? undefined : reply.body
  if (response.destroyed) {
    stream?.destroy()
    return
  }
  const hasBodyLeft = !http.complete && hasBody(http)
  const headers = headersOf(reply, http, hasBodyLeft)
  response.writeHead(reply.status, headers)
  if (stream) {
    response.setTimeout(idleBodyMilliseconds, () => response.destroy())
    // The client may go away at any time; the stream is closed either way.
    await pipeline(stream, response).catch(() => response.destroy())
    return
  }
  if (reply.body) response.write(reply.body)
  else response.flushHeaders()
  if (hasBodyLeft && isInvited) await readLeftover(http)
  response.end()
}

function hasBody(http: IncomingMessage): boolean {
  return http.headers['transfer-encoding'] !== undefined || Number(http.headers['content-length'] ?? 0) > 0
}

function headersOf(reply: Reply, http: IncomingMessage, hasBodyLeft: boolean): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...reply.headers }
  if (typeof reply.body === 'string') {
    headers['content-type'] = 'application/xml'
    headers['content-length'] = Buffer.byteLength(reply.body)
  } else if (reply.body === undefined && http.method !== 'HEAD' && reply.status !== 204 && reply.status !== 304) {
    headers['content-length'] = 0
  }
  if (hasBodyLeft) headers.connection = 'close'
  return headers
}

function readLeftover(http: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0
    const timer = setTimeout(resolve, lingerMilliseconds)
    const finish = () => {
      clearTimeout(timer)
      resolve()
    }
    http.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > lingerBytes) finish()
    })
    http.once('end', finish)
    http.once('close', finish)
    http.once('error', finish)
    http.removeAllListeners('readable')
    http.resume()
  })
}

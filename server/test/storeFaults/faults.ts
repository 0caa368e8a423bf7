import type { ClientRequest, IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { sendHead, type Fault, type SeenRequest } from './startStoreProxy.ts'

/** Answers in the place of the store, which never hears of the request. */
export function answerWith(status: number, body: string | ((request: SeenRequest) => string) = ''): Fault {
  return ({ request, response, seen }) => {
    request.resume()
    const text = typeof body === 'string' ? body : body(seen)
    response.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) })
    response.end(seen.method === 'HEAD' ? undefined : text)
  }
}

/** S3's error document under any status: 503 `SlowDown`, 500 `InternalError`, and 200 too, as slow operations answer. */
export function refuseWith(status: number, code: string): Fault {
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>As told</Message></Error>`
  return answerWith(status, document)
}

/** The store gets the head of the request and at most so many bytes of its body; then both lose their connection. */
export function resetRequestAfter(bytes: number): Fault {
  return async ({ request, forward }) => {
    await forward((onward) => sendPart(request, onward, bytes))
  }
}

function sendPart(request: IncomingMessage, onward: ClientRequest, bytes: number): void {
  const reset = () => request.socket.resetAndDestroy()
  let left = bytes
  onward.flushHeaders()
  request.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left)
    left -= part.length
    onward.write(part, () => {
      if (left === 0) reset()
    })
  })
  // A body that is over by then is cut off too: the store waits for its end in vain.
  request.on('end', reset)
}

/** The store does what it was asked to, and its answer is lost. */
export function loseReply(): Fault {
  return async ({ request, forward }) => {
    const answer = await forward()
    await answer.toArray()
    request.socket.resetAndDestroy()
  }
}

/**
 * The client gets the head of the answer and so many bytes of its body, or all but the last one where it is shorter;
 * then its connection is closed. An answer without a body is lost.
 */
export function cutAnswerAfter(bytes: number): Fault {
  return async ({ request, response, forward }) => {
    const answer = await forward()
    const body = Buffer.concat((await answer.toArray()) as Buffer[])
    if (body.length === 0) return void request.socket.resetAndDestroy()
    sendHead(response, answer)
    response.flushHeaders()
    response.write(body.subarray(0, Math.min(bytes, body.length - 1)), () => response.destroy())
  }
}

/** Held back for a while, and passed on if the client is still there: a store that is slow to reach. */
export function delay(milliseconds: number): Fault {
  return async ({ response, pass }) => {
    await sleep(milliseconds, undefined, { ref: false })
    if (!response.destroyed) await pass()
  }
}

/** The store does at once what it was asked to, and its answer comes late: a caller that waits less never sees it. */
export function delayAnswer(milliseconds: number): Fault {
  return async ({ response, forward }) => {
    const answer = await forward()
    await sleep(milliseconds, undefined, { ref: false })
    sendHead(response, answer)
    await pipeline(answer, response)
  }
}

/** The store takes the request and says nothing, for as long as the client waits. */
export const hang =
  (): Fault =>
  ({ request }) =>
    void request.resume()

/** The answer comes byte by byte, so that no pause of it is long. */
export function drip(milliseconds: number): Fault {
  return async ({ response, forward }) => {
    const answer = await forward()
    const body = Buffer.concat((await answer.toArray()) as Buffer[])
    sendHead(response, answer)
    response.flushHeaders()
    for (let at = 0; at < body.length && !response.destroyed; at += 1) {
      response.write(body.subarray(at, at + 1))
      await sleep(milliseconds, undefined, { ref: false })
    }
    response.end()
  }
}

/** The first requests that match are passed on, and the fault befalls the rest: a listing that fails on its third page. */
export function afterRequests(count: number, fault: Fault): Fault {
  let passed = 0
  return (passage) => {
    if (passed >= count) return fault(passage)
    passed += 1
    return passage.pass()
  }
}

/** The store answers, and the client reads something else. Bodies are text. */
export function rewriteAnswer(transform: (body: string, seen: SeenRequest) => string): Fault {
  return async ({ response, seen, forward }) => {
    const answer = await forward()
    const body = Buffer.from(transform(Buffer.concat((await answer.toArray()) as Buffer[]).toString(), seen))
    const headers = { ...answer.headers, 'content-length': String(body.length) }
    delete headers['transfer-encoding']
    response.writeHead(answer.statusCode ?? 502, headers)
    response.end(body)
  }
}

/** The store answers, and the client reads other bytes or other headers. The length is that of the changed body. */
export function changeAnswer(change: {
  readonly body?: (body: Buffer) => Buffer
  readonly headers?: Readonly<Record<string, string>>
}): Fault {
  return async ({ response, seen, forward }) => {
    const answer = await forward()
    const original = Buffer.concat((await answer.toArray()) as Buffer[])
    const body = change.body?.(original) ?? original
    const length = seen.method === 'HEAD' ? {} : { 'content-length': String(body.length) }
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...length, ...change.headers })
    response.end(body)
  }
}

/** One bit of the first byte is another one on its way. Size and headers stay as they were. */
export const flipByte = (): Fault =>
  changeAnswer({ body: (body) => Buffer.concat([Buffer.from([(body[0] ?? 0) ^ 1]), body.subarray(1)]) })

/** The answer is shorter than the object, and says so itself. */
export const shortenAnswer = (bytes: number): Fault => changeAnswer({ body: (body) => body.subarray(0, bytes) })

import { Transform } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { limits } from '../domain/limits.ts'
import { BadInput } from '../domain/refusals.ts'

/**
 * Reads the bodies of operations. Without credentials, a body has at most `anonymousBodyBytes`. A body with too many
 * parts is refused before it is parsed: parsing 256 KiB of brackets takes 25 ms.
 */
export function readOperations(scope: FastifyInstance): void {
  const parse = scope.getDefaultJsonParser('error', 'error')
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (hasTooManyParts(body)) done(new BadInput('The operation asks for too much.'))
    else void parse(request, body, done)
  })
  scope.addHook('onRequest', async (request) => {
    const length = Number(request.headers['content-length'] ?? 0)
    if (!request.caller && length > limits.anonymousBodyBytes) throw tooLarge()
  })
  // A body without a declared length ends only when its client stops sending.
  scope.addHook('preParsing', async (request, reply, payload) => {
    if (request.caller || request.headers['content-length'] !== undefined) return payload
    const bounded = boundedTo(limits.anonymousBodyBytes, () => void reply.header('connection', 'close'))
    payload.once('error', (error) => bounded.destroy(error))
    return payload.pipe(bounded)
  })
}

const tooLarge = () => Object.assign(new Error('Body too large'), { statusCode: 413 })

function boundedTo(bytes: number, onMore: () => void): Transform {
  let received = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length
      if (received > bytes) onMore()
      done(received > bytes ? tooLarge() : null, chunk)
    },
  })
}

const backslash = '\\'.charCodeAt(0)
const quote = '"'.charCodeAt(0)
const separators = new Set(['[', '{', ','].map((character) => character.charCodeAt(0)))

/** Counts the values in a JSON text without building them. */
function hasTooManyParts(json: string): boolean {
  let parts = 0
  let isString = false
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === quote) isString = !isString
    else if (isString) {
      if (code === backslash) at += 1
    } else if (separators.has(code)) {
      parts += 1
      if (parts > limits.bodyParts) return true
    }
  }
  return false
}

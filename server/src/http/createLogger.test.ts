import { describe, expect, it } from 'vitest'
import { createLogger, describeError, redact } from './createLogger.ts'

const key = `fgk_${'Aa-_'.repeat(10)}abc_${'Bb-_'.repeat(10)}abc`
const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl'
const signature = 'f'.repeat(64)
const session = 'S'.repeat(43)

const secrets: [string, string, string][] = [
  ['an API key', `key ${key} was used`, key.slice(50)],
  ['a bearer token', 'authorization: Bearer some.opaque-token', 'some.opaque-token'],
  ['a token', `got ${token}`, 'c2lnbmF0dXJl'],
  ['a token without a signature', `got ${token.slice(0, 41)}.`, 'eyJzdWIiOiJ1MSJ9'],
  ['a session cookie', `cookie: a=b; filegraph_session=${session}; c=d`, session],
  ['a session cookie of https', `__Host-filegraph_session=${session}`, session],
  ['a signature in an address', `https://b.example/k?X-Amz-Date=1&X-Amz-Signature=${signature}&x-id=1`, signature],
  ['an encoded signature', `next=https%3A%2F%2Fb%3FX-Amz-Signature%3D${signature}`, signature],
  ['a signature in a header', `AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=${signature}`, signature],
  ['a credential', `?x-amz-credential=AKIAEXAMPLE%2F2026&a=b`, 'AKIAEXAMPLE'],
  ['a password in an address', 'postgres://filegraph:hunter2@db.example/x', 'hunter2'],
  ['a password hash', 'set $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', 'aGFzaA'],
  ['a password in JSON', JSON.stringify({ email: 'a', password: 'hunter"2\\' }), 'hunter'],
]

describe('a log line', () => {
  it.each(secrets)('contains no %s', (_, text, secret) => {
    expect(text).toContain(secret)
    expect(redact(text)).not.toContain(secret)
    expect(redact(text)).toContain('[redacted]')
  })

  it.each(secrets)('stays valid JSON around %s, at any position', (_, text, secret) => {
    const lines: string[] = []
    const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } })
    const error = new Error(text, { cause: new Error(text) })
    logger
      .child({ bound: text })
      .error({ err: Object.assign(error, { request: text }), deep: [{ [text]: text }] }, text)
    const [line = ''] = lines
    expect(line).not.toContain(secret)
    expect(JSON.parse(line)).toMatchObject({ level: 'error', msg: expect.any(String) as string })
  })

  it('keeps what is not a secret', () => {
    const text = 'GET https://b.example/org/1/files/2.pdf?X-Amz-Date=20261121 Basically fine, token bearer'
    expect(redact(text)).toBe(text)
  })

  it('contains message, code, stack and causes of an error, without the values of a statement', () => {
    const cause = Object.assign(new Error('unreachable'), { code: 'ECONNREFUSED', headers: { cookie: 'c' } })
    const told = describeError(new Error('Failed query: select $1\nparams: a secret,\nover lines', { cause }))
    expect(told).toMatchObject({
      message: 'Error: Failed query: select $1\nparams: [redacted]',
      cause: { message: 'Error: unreachable', code: 'ECONNREFUSED' },
    })
    expect(JSON.stringify(told)).not.toMatch(/a secret|over lines|cookie/)
    expect(told.stack).toContain('createLogger.test.ts')
    expect(describeError('text')).toEqual({ message: 'Something was thrown that is not an error: string' })
  })
})

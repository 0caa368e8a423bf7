import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors'
import { expect, test } from 'vitest'
import { codeOf, wordError, wordRefusal } from './wordRefusal.ts'

const answered = (extensions: Record<string, unknown>) =>
  new CombinedGraphQLErrors({ errors: [{ message: 'internal words', extensions }] })

test('messages of the server about a value are shown as they are, and other refusals in the words of the console', () => {
  expect(wordRefusal({ code: 'VALIDATION', message: 'A name has no slashes.' })).toBe('A name has no slashes.')
  expect(wordRefusal({ code: 'NOT_FOUND', message: 'x' })).toMatch(/no longer exists/)
})

test('a refusal with an unknown code is shown with the message of the server', () => {
  expect(wordRefusal({ code: 'LEGAL_HOLD', message: 'This file is on legal hold.' })).toBe(
    'This file is on legal hold.',
  )
  expect(wordRefusal({})).toBe('This did not work.')
})

test('a full quota is shown with readable sizes', () => {
  const refusal = { code: 'QUOTA_EXCEEDED', message: 'x', neededBytes: 2_500_000, availableBytes: 0 }
  expect(wordRefusal(refusal)).toBe('There is not enough space: this file needs 2.5 MB, and 0 bytes are left.')
})

test('a bug of the server is shown with its request id, and never with its message', () => {
  const words = wordError(answered({ code: 'INTERNAL_SERVER_ERROR', requestId: 'req-7' }))
  expect(words).toContain('req-7')
  expect(words).not.toContain('internal words')
})

test('the code is found in a GraphQL error, in the body of a failed request, and in its status', () => {
  const failed = (statusCode: number, bodyText: string) =>
    new ServerError('failed', { response: new Response('', { status: statusCode }), bodyText })
  expect(codeOf(answered({ code: 'FORBIDDEN' }))).toBe('FORBIDDEN')
  expect(codeOf(failed(503, '{"errors":[{"extensions":{"code":"RATE_LIMITED"}}]}'))).toBe('RATE_LIMITED')
  expect(codeOf(failed(502, '<html>'))).toBe('SERVICE_UNAVAILABLE')
  expect(codeOf(new TypeError('Failed to fetch'))).toBe('NETWORK')
})

import { type ApolloServer, HeaderMap } from '@apollo/server'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contextFor, type RequestContext } from '../requestContext.ts'
import { createApollo } from './createApollo.ts'

const log: string[] = []
const logger = pino({ level: 'trace' }, { write: (line) => void log.push(line) })
const open = createApollo({ introspection: true, logger })
const closed = createApollo({ introspection: false, logger })

beforeAll(() => Promise.all([open.start(), closed.start()]))
afterAll(() => Promise.all([open.stop(), closed.stop()]))

async function run(apollo: ApolloServer<RequestContext>, query: string, variables: Record<string, unknown> = {}) {
  const { body, http } = await apollo.executeOperation({ query, variables }, { contextValue: contextFor(null) })
  if (body.kind !== 'single') throw new Error('Answers come in one piece')
  return { status: http.status, errors: body.singleResult.errors ?? [] }
}

describe('an operation type that the schema does not have', () => {
  it('is refused as an error of the caller, and not logged', async () => {
    log.length = 0
    const { status, errors } = await run(open, 'subscription { changes }')
    expect(status).toBe(400)
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }])
    expect(log).toEqual([])
  })
})

describe('without introspection', () => {
  const misspelled: [string, string, Record<string, unknown>?][] = [
    ['a field', '{ filez { nodes { id } } }'],
    ['a field of an input', '{ files(filter: { stat: READY }) { nodes { id } } }'],
    [
      'a field of an input in a variable',
      'query ($f: FileFilter) { files(filter: $f) { nodes { id } } }',
      { f: { stat: 'READY' } },
    ],
    ['a value in a variable', 'query ($o: FileOrder!) { files(orderBy: $o) { nodes { id } } }', { o: 'NEWEST_FIRS' }],
  ]

  it.each(misspelled)('no name is suggested for %s', async (_name, query, variables) => {
    const { status, errors } = await run(closed, query, variables)
    expect(status).toBe(400)
    expect(errors[0]?.message).not.toMatch(/did you mean/i)
    const { errors: helpful } = await run(open, query, variables)
    expect(helpful[0]?.message).toMatch(/did you mean/i)
  })
})

describe('a GET', () => {
  const get = async (headers: Record<string, string>) => {
    const { status } = await open.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: 'GET',
        headers: new HeaderMap(Object.entries(headers)),
        search: `?query=${encodeURIComponent('{ __typename }')}`,
        body: undefined,
      },
      context: async () => contextFor(null),
    })
    return status ?? 200
  }

  it('needs a header that another site can send only after a preflight', async () => {
    expect(await get({})).toBe(400)
    expect(await get({ 'content-type': 'text/plain' })).toBe(400)
    for (const name of ['authorization', 'x-filegraph-csrf', 'apollo-require-preflight']) {
      expect(await get({ [name]: '1' })).toBe(200)
    }
  })
})

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { evaluate, exampleIn } from './documentExample.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

const possibleTypes = JSON.parse(
  readFileSync(new URL('../../docs/possibleTypes.json', import.meta.url), 'utf8'),
) as object

const example = (name: string) => exampleIn('docs/clients.md', name)

/** The clients bring types of the browser, which would change the meaning of `fetch` for the whole server. */
const load = async (name: string): Promise<Data> => import(name)
const [apollo, urql, relay] = await Promise.all(['@apollo/client', '@urql/core', 'relay-runtime'].map(load))

type FreshUrl = (...args: unknown[]) => Promise<string>

const lifetimeMs = 2_000

let service: TestService
let tenant: TestTenant
let id: string
let requests = 0

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  ;({ id } = await uploadFile(service, tenant.member, { name: 'open for long.txt', content: 'bytes' }))
})
afterAll(() => service.close())

const answer = async ({ query, variables }: { query: string; variables?: Record<string, unknown> }) => {
  requests += 1
  const { data, errors } = await service.ask(tenant.member, query, variables)
  return { data, ...(errors && { errors }) }
}

/** `fetch` for clients that speak HTTP, answered by the service in this process. */
const overHttp = async (_url: unknown, init: { body: string }) =>
  new Response(JSON.stringify(await answer(JSON.parse(init.body) as { query: string })), {
    headers: { 'content-type': 'application/json' },
  })

const statusOf = async (url: string) => (await fetch(url)).status
const list = `query Open($seconds: Int!) { files { nodes { __typename id name downloadUrl(expiresInSeconds: $seconds) } } }`
const variables = { seconds: lifetimeMs / 1000 }

describe('a list that is open for longer than its URLs are valid', () => {
  it('gets a working URL from Apollo Client', async () => {
    const scope = { InMemoryCache: apollo.InMemoryCache, possibleTypes, gql: apollo.gql }
    const { cache, freshUrl } = evaluate(example('apollo'), '{ cache, freshUrl }', scope) as {
      cache: Data
      freshUrl: (client: Data, id: string) => Promise<string>
    }
    const link = new apollo.HttpLink({ uri: 'http://filegraph/graphql', fetch: overHttp })
    const client = new apollo.ApolloClient({ cache, link })
    const ask = async () => {
      const { data } = await client.query({ query: apollo.gql(list), variables })
      return data.files.nodes[0].downloadUrl as string
    }
    const first = await ask()
    await sleep(lifetimeMs + 100)
    // The cache hands out the dead URL, which is why the page asks past it.
    expect(await ask()).toBe(first)
    expect(await statusOf(first)).toBe(403)
    const url = await freshUrl(client, id)
    expect(await statusOf(url)).toBe(200)
    expect(JSON.stringify(cache.extract())).not.toContain(new URL(url).searchParams.get('X-Amz-Signature'))
  })

  it('gets a working URL from urql', async () => {
    const freshUrl = evaluate(example('urql'), 'freshUrl') as FreshUrl
    const exchanges = [urql.cacheExchange, urql.fetchExchange]
    const client = new urql.Client({
      url: 'http://filegraph/graphql',
      exchanges,
      fetch: overHttp,
      preferGetMethod: false,
    })
    const ask = async () => (await client.query(list, variables).toPromise()).data.files.nodes[0].downloadUrl as string
    const first = await ask()
    await sleep(lifetimeMs + 100)
    // The cache hands out the dead URL, which is why the page asks past it.
    expect(await ask()).toBe(first)
    expect(await statusOf(first)).toBe(403)
    expect(await statusOf(await freshUrl(client, id))).toBe(200)
  })

  it('gets a working URL from Relay', async () => {
    const freshUrl = evaluate(example('relay'), 'freshUrl', { fetchQuery: relay.fetchQuery }) as FreshUrl
    const environment = new relay.Environment({
      network: relay.Network.create((params: { text: string }, given: Record<string, unknown>) =>
        answer({ query: params.text, variables: given }),
      ),
      store: new relay.Store(new relay.RecordSource()),
    })
    const urls = [await freshUrl(environment, downloadQuery, id), await freshUrl(environment, downloadQuery, id)]
    for (const url of urls) expect(await statusOf(url)).toBe(200)
    const before = requests
    await freshUrl(environment, downloadQuery, id)
    expect(requests).toBe(before + 1)
  })
})

it('answers a HEAD on a download URL with 403 and a range of one byte with the headers, as docs/clients.md says', async () => {
  const { data } = await service.ask(tenant.member, 'query ($id: ID!) { file(id: $id) { downloadUrl } }', { id })
  const url = data['file'].downloadUrl as string
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(403)
  const range = await fetch(url, { headers: { range: 'bytes=0-0' } })
  expect(range.status).toBe(206)
  expect(range.headers.get('content-range')).toBe('bytes 0-0/5')
  expect(range.headers.get('content-disposition')).toContain('open for long.txt')
})

it('lets Apollo Client read typed errors with possibleTypes.json', async () => {
  const cache = new apollo.InMemoryCache({ possibleTypes })
  const client = new apollo.ApolloClient({
    cache,
    link: new apollo.HttpLink({ uri: 'http://filegraph/graphql', fetch: overHttp }),
  })
  const mutation = apollo.gql(
    `mutation { deleteFile(input: { id: "none" }) { __typename ... on DeleteFileSuccess { file { id } } ... on Error { code message } } }`,
  )
  const { data } = await client.mutate({ mutation })
  expect(data.deleteFile).toMatchObject({ __typename: 'NotFoundError', code: 'NOT_FOUND', message: expect.any(String) })
})

/** What Relay's compiler makes of the query on the page. */
const field = (name: string) => ({ alias: null, args: null, kind: 'ScalarField', name, storageKey: null })
const selections = [
  {
    alias: null,
    args: [{ kind: 'Variable', name: 'id', variableName: 'id' }],
    concreteType: 'File',
    kind: 'LinkedField',
    name: 'file',
    plural: false,
    selections: [field('id'), field('downloadUrl')],
    storageKey: null,
  },
]
const argumentDefinitions = [{ defaultValue: null, kind: 'LocalArgument', name: 'id' }]
const downloadQuery = {
  kind: 'Request',
  fragment: {
    argumentDefinitions,
    kind: 'Fragment',
    metadata: null,
    name: 'DownloadQuery',
    selections,
    type: 'Query',
    abstractKey: null,
  },
  operation: { argumentDefinitions, kind: 'Operation', name: 'DownloadQuery', selections },
  params: {
    cacheID: 'download',
    id: null,
    metadata: {},
    name: 'DownloadQuery',
    operationKind: 'query',
    text: 'query DownloadQuery($id: ID!) { file(id: $id) { id downloadUrl } }',
  },
}

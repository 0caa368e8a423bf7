import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { ApolloServer } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../src/domain/context.ts'
import { createHttpServer, type HttpServerOptions } from '../src/http/createHttpServer.ts'
import { createLogger } from '../src/http/createLogger.ts'
import { createTestIdentity, type TestIdentity } from './testIdentity.ts'

export interface Caller {
  readonly caller: Context | null
}

export interface TestHttpServer {
  readonly identity: TestIdentity
  readonly url: string
  readonly port: number
  readonly app: FastifyInstance
  /** Every line that was logged. */
  readonly lines: string[]
  /** How often a resolver of `touch` has run. */
  readonly touched: () => number
  /** Lets the resolver of `slow` go on. */
  readonly release: () => void
  /** Resolves when the resolver of `slow` has begun. */
  readonly slowBegan: Promise<void>
  ask(query: string, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

export type Changes = {
  [Part in keyof HttpServerOptions<Caller>['config']]?: Partial<HttpServerOptions<Caller>['config'][Part]>
} & { readonly options?: Partial<HttpServerOptions<Caller>> }

const typeDefs = `
  type Query { hello: String!  whoAmI: String  slow: String!  broken: String! }
  type Mutation { touch: Int! }
`

/** The web server on a port of its own, with a small schema, two tenants and a console of three files. */
export async function startTestHttpServer(changes: Changes = {}): Promise<TestHttpServer> {
  const identity = await createTestIdentity()
  const consoleDirectory = await buildConsole()
  const lines: string[] = []
  const logger = createLogger({ level: 'trace', destination: { write: (line) => void lines.push(line) } })
  const slow = gates()
  const { apollo, touched } = await startApollo(slow)
  const app = createHttpServer<Caller>({
    config: configWith(changes),
    database: identity.database,
    blobsFor: () => identity.as('VIEWER').blobs,
    bucketDoor: null,
    logger,
    apollo,
    contextFor: (caller) => ({ caller }),
    consoleDirectory,
    bucketOrigins: ['https://bucket.example'],
    readiness: async () => ({ database: true, bucket: true, migrations: true, deletes: 'allowed' }),
    now: identity.now,
    ...changes.options,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return {
    identity,
    url,
    port,
    app,
    lines,
    touched,
    release: slow.release,
    slowBegan: slow.began,
    ask: (query, headers = {}) =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query }),
      }),
    close: async () => {
      await app.close()
      await apollo.stop()
      await identity.close()
      await rm(consoleDirectory, { recursive: true, force: true })
    },
  }
}

const configWith = (changes: Changes): HttpServerOptions<Caller>['config'] => ({
  http: {
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://files.example',
    allowedOrigins: ['https://app.example'],
    trustProxy: false,
    ...changes.http,
  },
  jwt: (changes.jwt as HttpServerOptions<Caller>['config']['jwt'] | undefined) ?? null,
  session: { lifetimeSeconds: 3600, ...changes.session },
  graphql: { introspection: true, graphiql: true, ...changes.graphql },
  rateLimit: { operationsPerMinute: 0, ...changes.rateLimit },
})

function gates() {
  let begin = () => {}
  let release = () => {}
  const began = new Promise<void>((resolve) => (begin = resolve))
  const released = new Promise<void>((resolve) => (release = resolve))
  return { began, released, begin: () => begin(), release: () => release() }
}

async function startApollo(slow: ReturnType<typeof gates>) {
  let touches = 0
  const apollo = new ApolloServer<Caller>({
    typeDefs,
    introspection: true,
    csrfPrevention: true,
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    plugins: [ApolloServerPluginLandingPageDisabled(), ApolloServerPluginCacheControlDisabled()],
    resolvers: {
      Query: {
        hello: () => 'world',
        whoAmI: (_: unknown, __: unknown, { caller }: Caller) =>
          caller && `${caller.principal.kind} ${caller.principal.role}`,
        slow: async () => {
          slow.begin()
          await slow.released
          return 'done'
        },
        broken: () => {
          throw new Error('broken')
        },
      },
      Mutation: { touch: () => (touches += 1) },
    },
  })
  await apollo.start()
  return { apollo, touched: () => touches }
}

async function buildConsole(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'filegraph-console-'))
  await mkdir(join(directory, 'assets'))
  await writeFile(join(directory, 'index.html'), '<!doctype html><title>The console</title>')
  await writeFile(join(directory, 'graphiql.html'), '<!doctype html><title>GraphiQL</title>')
  await writeFile(join(directory, 'assets', 'main-1a2b3c.js'), 'export {}')
  await writeFile(join(directory, 'assets', 'main-1a2b3c.js.br'), brotliCompressSync('export {}'))
  return directory
}

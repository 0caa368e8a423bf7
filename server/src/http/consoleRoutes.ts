import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fastifyStatic } from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isGraphqlPath, nothingHere } from './errorAnswer.ts'
import { pathOf } from './logRequests.ts'
import { graphiqlPolicy } from './securityHeaders.ts'

export interface ConsoleOptions {
  /** An absolute path. The folder holds index.html, graphiql.html and assets/. It can be missing. */
  readonly directory: string
  readonly graphiql: boolean
  readonly bucketOrigins: readonly string[]
  /** The path prefix that browsers see before the paths of this server: empty, or `/files`. */
  readonly basePath: string
}

/**
 * Serves the files of the console. A request for HTML at any other path also returns the console, because its pages
 * have their own paths.
 */
export function addConsoleRoutes(app: FastifyInstance, options: ConsoleOptions): void {
  const { directory, graphiql, bucketOrigins, basePath } = options
  const isBuilt = existsSync(join(directory, 'index.html'))
  if (isBuilt) {
    app.register(fastifyStatic, {
      root: directory,
      index: false,
      cacheControl: false,
      // The build writes .br and .gz files, so that no request waits for compression.
      preCompressed: true,
      dotfiles: 'ignore',
      allowedPath: (path) => graphiql || path !== '/graphiql.html',
      setHeaders: (reply, path) => {
        // File names under assets/ contain a hash of the content.
        const isImmutable = path.startsWith(join(directory, 'assets'))
        reply.header('cache-control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  }
  const sendPage = async (reply: FastifyReply, page: string) =>
    reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(isBuilt ? await readPage(join(directory, page), basePath) : notBuilt)

  app.get('/', async (_, reply) => sendPage(reply, 'index.html'))
  if (graphiql && isBuilt) {
    const setPolicy = graphiqlPolicy(bucketOrigins)
    app.get('/graphiql', async (request, reply) => {
      setPolicy(request.raw, reply.raw)
      return sendPage(reply, 'graphiql.html')
    })
  }
  app.setNotFoundHandler(async (request, reply) => {
    if (!asksForPage(request)) throw nothingHere()
    return sendPage(reply, 'index.html')
  })
}

const notBuilt = '<!doctype html><title>Filegraph</title><p>The console is not built.'

/** The build references its files relative to the page (`./assets/…`), but a page can be served at any depth. */
const readPage = async (path: string, basePath: string): Promise<string> =>
  (await readFile(path, 'utf8')).replaceAll('="./', `="${basePath}/`)

function asksForPage(request: FastifyRequest): boolean {
  const path = pathOf(request)
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  const isOurs = isGraphqlPath(path) || /^\/(assets|bucket|graphiql|session|healthz|readyz)(\/|\.html$|$)/.test(path)
  return isReading && !isOurs && (request.headers.accept ?? '').includes('text/html')
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fastifyStatic } from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isGraphqlPath, nothingHere } from './errorAnswer.ts'
import { pathOf } from './logRequests.ts'
import { graphiqlPolicy } from './securityHeaders.ts'

export interface ConsoleOptions {
  /** Absolute; holds index.html, graphiql.html and assets/. May be missing. */
  readonly directory: string
  readonly graphiql: boolean
  readonly bucketOrigin: string
}

/** The console's files. Its pages have addresses of their own: whoever asks for HTML elsewhere gets the console. */
export function addConsoleRoutes(app: FastifyInstance, { directory, graphiql, bucketOrigin }: ConsoleOptions): void {
  const isBuilt = existsSync(join(directory, 'index.html'))
  if (isBuilt) {
    app.register(fastifyStatic, {
      root: directory,
      index: false,
      cacheControl: false,
      // The build writes .br and .gz beside each file, so that no request waits for compression.
      preCompressed: true,
      dotfiles: 'ignore',
      allowedPath: (path) => graphiql || path !== '/graphiql.html',
      setHeaders: (reply, path) => {
        // Names under assets/ carry a hash of their content.
        const isImmutable = path.startsWith(join(directory, 'assets'))
        reply.header('cache-control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  }
  const sendPage = (reply: FastifyReply, page: string) =>
    isBuilt
      ? reply.sendFile(page)
      : reply
          .type('text/html; charset=utf-8')
          .send('<!doctype html><title>Filegraph</title><p>The console is not built.')

  app.get('/', async (_, reply) => sendPage(reply, 'index.html'))
  if (graphiql && isBuilt) {
    const policy = graphiqlPolicy(bucketOrigin)
    app.get('/graphiql', async (_, reply) => sendPage(reply.header('content-security-policy', policy), 'graphiql.html'))
  }
  app.setNotFoundHandler(async (request, reply) => {
    if (!asksForPage(request)) throw nothingHere()
    return sendPage(reply, 'index.html')
  })
}

function asksForPage(request: FastifyRequest): boolean {
  const path = pathOf(request)
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  const isOurs = isGraphqlPath(path) || /^\/(assets|graphiql|session|healthz|readyz)(\/|\.html$|$)/.test(path)
  return isReading && !isOurs && (request.headers.accept ?? '').includes('text/html')
}

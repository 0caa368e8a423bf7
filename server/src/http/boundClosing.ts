import type { FastifyInstance } from 'fastify'

/**
 * Makes `close()` graceful: nothing new is accepted, requests in flight get their answer and close their connection, and
 * whatever still hangs after `milliseconds` is cut off.
 */
export function boundClosing(app: FastifyInstance, milliseconds: number): void {
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    const timer = setTimeout(() => app.server.closeAllConnections(), milliseconds)
    app.server.once('close', () => clearTimeout(timer))
    if (!app.server.listening) clearTimeout(timer)
  })
  app.addHook('onSend', async (_, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
}

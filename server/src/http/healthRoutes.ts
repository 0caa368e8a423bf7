import type { FastifyInstance } from 'fastify'

export interface Readiness {
  readonly database: boolean
  readonly bucket: boolean
  readonly migrations: boolean
  readonly deletes: 'allowed' | 'refused' | 'unknown'
}

/** `/readyz` answers within this time. Longer than the timeout of each check. */
export const readyWithinMs = 3_000

const nothingReady: Readiness = { database: false, bucket: false, migrations: false, deletes: 'unknown' }

/**
 * `/healthz` answers 200 while the process runs. `/readyz` answers 200 if it can serve requests and 503 if not. Neither
 * needs credentials.
 *
 * Every request needs the database, so without it the process is not ready. Only commits and the bytes themselves need
 * the bucket, and it is the same bucket for every process: to take all of them out would stop lists and renames too.
 * `deletes` does not change the status either, because a process whose sweeps are refused still serves requests.
 */
export function addHealthRoutes(
  app: FastifyInstance,
  readiness: () => Promise<Readiness>,
  isDraining: () => boolean,
): void {
  app.get('/healthz', async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }))

  let asked: Promise<Readiness> | null = null
  app.get('/readyz', async (_, reply) => {
    reply.header('cache-control', 'no-store')
    if (isDraining()) return reply.code(503).send({ status: 'draining' })
    // Concurrent requests share one check.
    asked ??= withinPatience(readiness).finally(() => (asked = null))
    const { database, bucket, migrations, deletes } = await asked
    const isReady = database && migrations
    const status = !isReady ? 'unavailable' : bucket ? 'ready' : 'degraded'
    return reply.code(isReady ? 200 : 503).send({ status, database, bucket, migrations, deletes })
  })
}

function withinPatience(readiness: () => Promise<Readiness>): Promise<Readiness> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, readyWithinMs, nothingReady)
    readiness()
      .catch(() => nothingReady)
      .then((ready) => {
        clearTimeout(timer)
        resolve(ready)
      }, resolve)
  })
}

import { setTimeout as sleep } from 'node:timers/promises'
import { runMixedLoad } from '../harness/runMixedLoad.mjs'
import { postgres } from '../harness/serverPackage.mjs'
import { watchMemory } from '../harness/watchMemory.mjs'

const settleMs = 1_000
const minute = 60
const tenMinutes = 600

/** All kinds of requests in all tenants at once, first in peace, then with one request in ten given up. */
export const mixedLoad = {
  name: 'mixed',
  run: async (bench) => {
    const calm = await underLoad(bench, 'mixed load', 0)
    const rough = await underLoad(bench, 'mixed load, 1 in 10 given up', 0.1)
    const seconds = bench.options.mixedSeconds
    const { memory } = calm
    return {
      facts: [calm.fact, rough.fact, memoryFact(memory, seconds), memoryFact(rough.memory, 2 * seconds)],
      targets: [
        ...calm.targets,
        ...rough.targets,
        {
          what: 'API and worker after a minute of load, MB',
          is: bench.isQuick || seconds >= minute ? memory.node : null,
          wanted: { most: 180 },
          generous: { most: 360 },
        },
        {
          what: 'growth over ten minutes of load, MB (--minutes 10)',
          is: seconds >= tenMinutes ? memory.growthMB : null,
          wanted: { most: 5 },
          generous: { most: 5 },
        },
      ],
    }
  },
}

async function underLoad({ product, tenants, options, pace }, what, abortShare) {
  const { clients } = pace
  // Fills the pool, so that a connection that is missing afterwards was lost.
  await runMixedLoad(product, tenants, { clients, seconds: 1, abortShare: 0 })
  const before = await backendsOf(product)
  const memory = watchMemory(product)
  const seconds = options.mixedSeconds
  const { answered, givenUp, errors, p50, p99 } = await runMixedLoad(product, tenants, { clients, seconds, abortShare })
  const weighed = memory.stop()
  await sleep(settleMs)
  const after = await backendsOf(product)
  const lost = before.filter(({ pid }) => !after.some((backend) => backend.pid === pid)).length
  const stuck = after.filter(({ state }) => state !== 'idle').length
  const failed = [...errors.values()].reduce((sum, count) => sum + count, 0)
  const counts = [...errors].map(([message, count]) => `${count} x ${message}`)
  const rate = `${Math.round(answered / seconds)}/s, p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms`
  const most = { wanted: { most: 0 }, generous: { most: 0 } }
  return {
    memory: weighed,
    fact: {
      what: `${what}: ${clients} clients, ${tenants.length} tenants, ${seconds} s`,
      is: [`${answered} answers (${rate})`, `${givenUp} given up`, ...counts].join('; '),
    },
    targets: [
      { what: `${what}: errors`, is: failed, ...most },
      { what: `${what}: database connections lost or stuck`, is: lost + stuck, ...most },
    ],
  }
}

const memoryFact = ({ node, postgres: database }, seconds) => ({
  what: `memory after ${seconds} s of load: API and worker, Postgres`,
  is: node === null ? 'n/a' : `${Math.round(node)} MB, ${database === null ? 'n/a' : Math.round(database)} MB`,
})

/** The connections of the API's pool. */
async function backendsOf({ adminUrl, databaseUrl }) {
  const sql = postgres(adminUrl, { max: 1 })
  try {
    const { username } = new URL(databaseUrl)
    return await sql`
      select pid, state from pg_stat_activity where usename = ${username} and application_name = 'filegraph'`
  } finally {
    await sql.end()
  }
}

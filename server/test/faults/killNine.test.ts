import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { KillClient } from './killClient.ts'
import { KillFacts } from './killFacts.ts'
import { Product, type Victim } from './killProduct.ts'

const isLong = process.env['FAULTS'] === 'long'
const cycles = isLong ? 200 : 3
const cyclesBetweenChecks = 10
const victims: readonly Victim[] = ['everything', 'node', 'postmaster', 'backend']

const product = new Product()
const clients: KillFacts[] = []

beforeAll(async () => {
  await product.start()
  for (const tenant of ['acme', 'globex']) {
    const key = await product.run('key', 'create', '--tenant', tenant, '--name', 'load', '--role', 'OWNER')
    clients.push(new KillFacts(new KillClient(key, () => product.url)))
    clients.push(new KillFacts(new KillClient(key, () => product.url)))
  }
}, 300_000)

afterAll(() => product.remove(), 60_000)

it(
  'loses nothing acknowledged when any process is killed under load',
  { timeout: isLong ? 6 * 3_600_000 : 600_000 },
  async () => {
    const begun = performance.now()
    const losses: string[] = []
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      losses.push(...(await killOnce(victims[cycle % victims.length] ?? 'node')))
      expect(losses).toEqual([])
      if (cycle % cyclesBetweenChecks === 0 || cycle === cycles) await product.run('fsck', '--json')
      if (isLong && cycle % 10 === 0) tell(cycle, begun, losses)
    }
    tell(cycles, begun, losses)
  },
)

/** Load, a kill in the middle of it, and a look at everything. */
async function killOnce(victim: Victim): Promise<string[]> {
  let isOver = false
  const work = Promise.all(clients.map((client) => client.work(() => isOver)))
  await sleep(500 + Math.random() * 2_000)
  const killed = product.kill(victim)
  await Promise.race([killed, work])
  isOver = true
  await Promise.all([killed, work])
  const found = await Promise.all(clients.map((client) => client.verify()))
  return found.flat()
}

function tell(cycle: number, begun: number, losses: readonly string[]): void {
  const sum = (of: 'commands' | 'acknowledged' | 'unanswered') => clients.reduce((all, client) => all + client[of], 0)
  const seconds = Math.round((performance.now() - begun) / 1_000)
  console.log(
    `kill -9: ${cycle} cycles, ${sum('commands')} commands, ${sum('acknowledged')} acknowledged, ` +
      `${sum('unanswered')} without an answer, ${seconds} s, ${losses.length} losses`,
  )
}

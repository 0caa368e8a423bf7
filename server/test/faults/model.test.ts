import { expect, it } from 'vitest'
import { checkEverything, checkReturn } from './modelCheck.ts'
import { Chance } from './modelRandom.ts'
import { runRound } from './modelRun.ts'
import { closeWorld, openWorld, type World } from './modelWorld.ts'

const isLong = process.env['FAULTS'] === 'long'
const wanted = isLong ? 100_000 : 2_500
const commandsOfWorld = isLong ? 2_500 : 1_300
const commandsBetweenChecks = 400
const given = process.env['FAULTS_SEED']

/**
 * Replayed with `FAULTS_SEED`, which then is the seed of the first world. The short pass makes the same choices each time,
 * so that a change that breaks one is seen at that change; the long one makes new ones.
 */
const firstSeed = given === undefined ? (isLong ? Date.now() % 1_000_000_000 : 262_557_473) : Number(given)

it(
  'behaves as a model of its rules with concurrent clients, sweeps, clocks, stores and crashes',
  { timeout: isLong ? 6 * 3_600_000 : 600_000 },
  async () => {
    const begun = performance.now()
    const total = { worlds: 0, commands: 0, unknown: 0, refused: 0, checks: 0 }
    for (let seed = firstSeed; total.commands < wanted; seed += 1) {
      const { commands, unknown, refused, checks } = await runWorld(seed)
      total.worlds += 1
      total.commands += commands
      total.unknown += unknown
      total.refused += refused
      total.checks += checks
      if (isLong) console.log(`model: ${total.commands} commands after ${seconds(begun)} s`)
    }
    console.log(
      `model: ${total.worlds} worlds, ${total.commands} commands (${total.refused} refused, ${total.unknown} of unknown ` +
        `outcome), ${total.checks} full checks, ${seconds(begun)} s, seeds from ${firstSeed}`,
    )
    expect(total.unknown).toBeGreaterThan(0)
  },
)

const seconds = (begun: number) => Math.round((performance.now() - begun) / 1_000)

async function runWorld(seed: number): Promise<World['count']> {
  const world = await openWorld(new Chance(seed), seed % 3 === 0)
  try {
    for (let checkAt = commandsBetweenChecks; world.count.commands < commandsOfWorld;) {
      await runRound(world)
      if (world.count.commands < checkAt) continue
      await checkEverything(world)
      checkAt += commandsBetweenChecks
    }
    await checkReturn(world)
    return world.count
  } catch (error) {
    const stories = world.tenants.map(({ story }) => story.slice(-60).join('\n')).join('\n== the other tenant\n')
    throw new Error(`Replay with FAULTS_SEED=${seed}, after ${world.count.commands} commands\n${stories}`, {
      cause: error,
    })
  } finally {
    await closeWorld(world)
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureServerBuilt } from '../server/launch/ensureBuilt.mjs'
import { report } from './harness/report.mjs'
import { stopProcesses } from './harness/startProcess.mjs'
import { prepareBench } from './prepareBench.mjs'
import { scenarios } from './scenarios/scenarios.mjs'

/**
 * How close Filegraph comes to what its own hardware allows, and how its cost grows; see README.md beside this file.
 *
 *     npm run bench -- [--quick] [--scenario list-20]... [--files 5000000] [--rounds 3] [--seconds 3] [--minutes 1]
 *                      [--profile <folder>]
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    scenario: { type: 'string', multiple: true },
    files: { type: 'string' },
    tenants: { type: 'string', default: '50' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    minutes: { type: 'string' },
    clients: { type: 'string', default: '32' },
    profile: { type: 'string' },
  },
})

const isQuick = values.quick
const say = (text) => process.stderr.write(`${text}\n`)
const options = {
  files: Number(values.files ?? (isQuick ? 50_000 : 1_000_000)),
  tenants: Number(values.tenants),
  mixedSeconds: Number(values.minutes ?? (isQuick ? 0.05 : 1)) * 60,
  pace: {
    clients: Number(values.clients),
    rounds: Number(values.rounds ?? (isQuick ? 2 : 3)),
    seconds: Number(values.seconds ?? (isQuick ? 1 : 3)),
    warmUpSeconds: isQuick ? 1 : 5,
  },
  ...(values.profile && { profile: values.profile }),
}

function chosenScenarios() {
  const asked = values.scenario ?? scenarios.filter(({ isInSmoke }) => !isQuick || isInSmoke).map(({ name }) => name)
  const unknown = asked.find((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown !== undefined) {
    throw new Error(`There is no scenario "${unknown}", but ${scenarios.map(({ name }) => name).join(', ')}.`)
  }
  return scenarios.filter(({ name }) => asked.includes(name))
}

const chosen = chosenScenarios()
const folder = mkdtempSync(join(tmpdir(), 'filegraph-bench-'))

async function end() {
  await stopProcesses()
  rmSync(folder, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    void end().finally(() => process.exit(130))
  })
}

try {
  await ensureServerBuilt()
  const bench = await prepareBench({ folder, options, isQuick, say })
  const found = [bench.found]
  for (const scenario of chosen) {
    say(`${scenario.name}…`)
    found.push(await scenario.run(bench))
  }
  const { met, missed } = report(found, { isQuick, options })
  // Targets of a whole run are told, not enforced: machines differ. The smoke run's bounds are for every machine.
  if (isQuick) {
    console.log(`\n${met} passed, ${missed} failed`)
    if (missed > 0) process.exitCode = 1
  }
} finally {
  await end()
}

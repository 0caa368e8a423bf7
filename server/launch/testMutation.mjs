import './requireNode.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { mutationRuns } from './mutationRuns.mjs'
import { runProgram } from './runProgram.mjs'
import { LaunchFailed, launch, say } from './workspace.mjs'

/** StrykerJS is fetched when it is run: it brings a hundred packages that nothing else needs. */
const packages = ['@stryker-mutator/core@9.6.1', 'typescript@5.9']

// The names of runs, then options of Stryker. Without a name: all of them.
await launch(async () => {
  await ensureInstalled()
  const given = process.argv.slice(2)
  const optionsAt = given.findIndex((argument) => argument.startsWith('-'))
  const named = optionsAt < 0 ? given : given.slice(0, optionsAt)
  const options = optionsAt < 0 ? [] : given.slice(optionsAt)
  const unknown = named.filter((name) => !(name in mutationRuns))
  if (unknown.length > 0) {
    throw new LaunchFailed(`There is no run ${unknown.join(', ')}; there are ${Object.keys(mutationRuns).join(', ')}.`)
  }
  for (const name of named.length > 0 ? named : Object.keys(mutationRuns)) {
    say(`Mutations: ${name}`)
    const code = await mutate(name, options)
    if (code !== 0) process.exitCode = code
  }
})

async function mutate(name, options) {
  const fetched = packages.map((each) => `--package=${each}`)
  const args = ['--yes', ...fetched, '--', 'stryker', 'run', ...options, 'server/launch/stryker.config.mjs']
  const env = { ...process.env, MUTATION_RUN: name }
  const { code } = await runProgram('npx', args, { shell: process.platform === 'win32', env })
  return code
}

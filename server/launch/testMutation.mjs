import './requireNode.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { runProgram } from './runProgram.mjs'
import { launch } from './workspace.mjs'

/** StrykerJS is fetched when it is run: it brings a hundred packages that nothing else needs. */
const packages = ['@stryker-mutator/core@9.6.1', 'typescript@5.9']

await launch(async () => {
  await ensureInstalled()
  const args = [
    '--yes',
    ...packages.map((name) => `--package=${name}`),
    '--',
    'stryker',
    'run',
    ...process.argv.slice(2),
  ]
  const shell = process.platform === 'win32'
  const { code } = await runProgram('npx', [...args, 'server/stryker.config.json'], { shell })
  process.exitCode = code
})

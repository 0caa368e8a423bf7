import './requireNode.mjs'
import { ensureConsoleBuilt, ensureServerBuilt } from './ensureBuilt.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { runSuite, tellFailures } from './runSuite.mjs'
import { launch, serverFolder } from './workspace.mjs'

/**
 * The long pass of the fault tests, which takes an hour or so: what `npm test` runs a few times, it runs as often as it
 * has to be run to be believed. Arguments go to vitest; FAULTS_SEED repeats a run of the model.
 */
await launch(async () => {
  await ensureInstalled()
  await ensureServerBuilt()
  await ensureConsoleBuilt()
  const suite = { name: 'faults', folder: serverFolder }
  const { passed, failed, failures } = await runSuite(suite, ['test/faults', ...process.argv.slice(2)], {
    FAULTS: 'long',
  })
  if (failed > 0 || passed === 0) process.exitCode = 1
  tellFailures(failures)
  console.log(`\n${passed} passed, ${failed} failed`)
})

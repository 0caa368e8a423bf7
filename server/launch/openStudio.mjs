import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withParts } from '../src/cli/withBackends.ts'
import { commandOf, runProgram } from './runProgram.mjs'
import { launch, say, serverFolder } from './workspace.mjs'

/**
 * Opens Drizzle Studio on the database of this checkout: that of the instance that runs, or the embedded one, started for as
 * long as the studio is open. On the embedded one it works as the superuser, since row-level security hides the rows of tenants
 * from everybody else; on a database elsewhere with the rights of the login that migrates it.
 */
await launch(() =>
  withParts({ env: process.env }, async ({ config, addresses }) => {
    const url = new URL(addresses.ownerUrl)
    if (config.database.kind === 'embedded') {
      const secrets = JSON.parse(readFileSync(join(config.dataDirectory, 'secrets.json'), 'utf8'))
      url.username = 'postgres'
      url.password = secrets.postgresSuperuserPassword
    }
    url.searchParams.set('options', `-c search_path=${addresses.schema}`)
    say(
      'This is not read-only: what is changed here is checked by constraints and triggers alone. Press Ctrl-C to close it.',
    )
    // `+` is a space in forms alone, not for the drivers.
    const env = { ...process.env, DRIZZLE_URL: url.href.replaceAll('+', '%20') }
    const { code } = await runProgram(
      process.execPath,
      [commandOf(serverFolder, 'drizzle-kit'), 'studio', ...process.argv.slice(2)],
      {
        cwd: serverFolder,
        env,
      },
    )
    process.exitCode = code
  }),
)

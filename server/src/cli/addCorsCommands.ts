import type { Command } from 'commander'
import { browserOrigins } from '../run/addresses.ts'
import { applyCors } from '../storage/s3/applyCors.ts'
import { collect } from './options.ts'
import { examples, printJson, type Terminal } from './terminal.ts'
import { withParts } from './withBackends.ts'

interface ApplyOptions {
  readonly origin?: readonly string[]
  readonly json?: true
}

export function addCorsCommands(program: Command, terminal: Terminal): void {
  program
    .command('cors')
    .description('Let browsers talk to the bucket.')
    .command('apply')
    .description('Write the CORS rule that uploads and downloads from a browser need into the bucket.')
    .option(
      '--origin <origin>',
      'allow pages of this origin; repeatable (default: the console and ALLOWED_ORIGINS)',
      collect,
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nRules of others stay as they are.')
    .addHelpText('after', examples('cors apply', 'cors apply --origin https://files.example.com'))
    .action((options: ApplyOptions) =>
      withParts(terminal, async ({ addresses, config }) => {
        const applied = await applyCors(addresses.bucket, options.origin ?? browserOrigins(config))
        if (options.json) return printJson(terminal, applied)
        terminal.print(`The bucket ${addresses.bucket.bucket} now lets in ${applied.origins.join(', ')}.\n`)
        if (applied.otherRules > 0) terminal.print(`${applied.otherRules} other rules stand as they were.\n`)
      }),
    )
}

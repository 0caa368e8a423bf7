import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { type Command, Option } from 'commander'
import { acceptBucket, readSides, retireDatabase, type Sides } from '../domain/installation/acceptBucket.ts'
import type { Side } from '../domain/installation/describeSide.ts'
import { lastWriter } from '../domain/installation/marker.ts'
import { actorAt, withBackends } from './withBackends.ts'
import { examples, CommandFailed, printJson, type Terminal } from './terminal.ts'

interface AcceptOptions {
  readonly keep?: 'this' | 'other'
  readonly yes?: true
  readonly show?: true
  readonly json?: true
}

const help = `
Until a person has decided, no database deletes anything from the bucket; uploads and downloads go on.

Run it with the configuration of the database that is to own the bucket, and first stop every other Filegraph that uses
this bucket: one that still runs objects again within a minute. Files that only the other database knows stay in the
bucket. "sweep reconcile --dry-run" shows them as FOREIGN.

With --keep other this database deletes nothing any more. Then run accept-bucket with the configuration of the other.
Without a terminal, say --keep this, --keep other, or --yes for --keep this.`

export function addAcceptBucketCommand(program: Command, terminal: Terminal): void {
  program
    .command('accept-bucket')
    .description('Show which databases claim this bucket, and decide which of them owns it.')
    .addOption(new Option('--keep <side>', 'decide without asking').choices(['this', 'other']))
    .option('--yes', 'the same as --keep this')
    .option('--show', 'show both sides and decide nothing')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .addHelpText('after', examples('accept-bucket', 'accept-bucket --show --json', 'accept-bucket --keep this'))
    .action((options: AcceptOptions) =>
      withBackends(terminal, async (backends) => {
        const sides = await readSides(backends)
        if (!options.json) terminal.print(describeSides(sides))
        const decision = sides.doubt === null || options.show ? null : await decide(terminal, options)
        const actor = actorAt(terminal)
        if (decision === 'this') await acceptBucket(backends, actor)
        if (decision === 'other') await retireDatabase(backends, actor)
        if (options.json) printJson(terminal, { ...sides, decision })
        else terminal.print(outcomeOf(sides, decision))
      }),
    )
}

async function decide(terminal: Terminal, { keep, yes }: AcceptOptions): Promise<'this' | 'other'> {
  if (keep && yes && keep !== 'this') throw new CommandFailed('--yes means --keep this. Give one of them.')
  if (keep || yes) return keep ?? 'this'
  if (!terminal.stdin.isTTY) throw new CommandFailed('Nothing was decided. Say --keep this or --keep other.')
  const lines = createInterface({ input: terminal.stdin })
  try {
    terminal.say('Which database owns this bucket from now on? Type "this" or "other": ')
    // Without this, the end of the input (Ctrl+D) would leave the question open forever.
    const ended = once(lines, 'close').then(() => '')
    const answer = (await Promise.race([lines.question(''), ended])).trim().toLowerCase()
    if (answer === 'this' || answer === 'other') return answer
    throw new CommandFailed('Nothing was decided.')
  } finally {
    lines.close()
  }
}

function outcomeOf({ doubt }: Sides, decision: 'this' | 'other' | null): string {
  if (decision === 'this') {
    return 'This database owns the bucket. If another one still runs on it, it objects again within a minute.\n'
  }
  if (decision === 'other') {
    return 'This database deletes nothing any more. Now run accept-bucket with the configuration of the other one.\n'
  }
  return doubt === null ? 'There is nothing to decide.\n' : 'Nothing was decided.\n'
}

function describeSides({ doubt, self, newest, others }: Sides): string {
  const blocks = [
    doubt === null ? 'This database and this bucket belong together.' : `Nothing is deleted: ${doubt.sentence}`,
    `This database:\n${describeSide(self)}`,
    newest
      ? `The bucket:\n  generation ${newest.generation} of installation ${newest.id}\n  ${lastWriter(newest)}`
      : 'The bucket has no marker.',
    ...others.map(({ at, sentence, self: other }) => {
      const found = `  It objected at ${at}. It found: ${sentence}`
      return `The other database, when it objected:\n${describeSide(other)}\n${found}`
    }),
  ]
  return `${blocks.join('\n\n')}\n\n`
}

function describeSide(side: Side): string {
  const { tenants, tenantsCounted } = side
  const counted = tenantsCounted < tenants ? ` (the first ${tenantsCounted} are counted)` : ''
  return [
    `  "${side.databaseName}", seen from the host ${side.host}`,
    `  generation ${side.generation} of installation ${side.installationId}`,
    `  ${tenants} tenants${counted}, ${side.files} files and ${side.trashedFiles} in the trash`,
    `  ${side.versions} versions, ${side.storedBytes} bytes`,
    `  newest upload: ${side.newestUploadAt ?? 'none'}; last change: ${side.lastChangeAt ?? 'none'}`,
  ].join('\n')
}

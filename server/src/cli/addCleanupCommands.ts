import type { Command } from 'commander'
import { type CleanupKind, type Outcome, recordRun } from '../domain/sweeps/runs/recordRun.ts'
import { findTenantBySlug, listTenantNames } from '../domain/tenants/findTenant.ts'
import { cleanupKindNames, sweepOf } from '../jobs/sweeps.ts'
import type { Services } from '../run/services.ts'
import { operatorIn } from './operatorIn.ts'
import { readChoice, readTime } from './options.ts'
import { examples, CommandFailed, printJson, type Terminal } from './terminal.ts'
import { withServices } from './withServices.ts'

interface RunOptions {
  readonly tenant?: string
  readonly dryRun?: true
  readonly before?: Date
  readonly exceedBrake?: true
  readonly deleteForeign?: true
  readonly json?: true
}

const kindNames = cleanupKindNames.map((kind) => kind.toLowerCase().replaceAll('_', '-'))

export function addCleanupCommands(program: Command, terminal: Terminal): void {
  addSweep(program, terminal)
}

function addSweep(program: Command, terminal: Terminal): void {
  program
    .command('sweep')
    .description('Make one of the sweeps now, in one tenant or in all.')
    .argument('<kind>', kindNames.join(', '), readChoice(kindNames))
    .option('--tenant <slug>', 'in this tenant (default: in all of them)')
    .option('--dry-run', 'look and tell what would be deleted, and change nothing')
    .option(
      '--before <time>',
      'only what was deleted or released before this time, such as 2026-01-31T09:00:00Z',
      readTime,
    )
    .option('--exceed-brake', 'delete even more than the brake allows')
    .option(
      '--delete-foreign',
      'let a reconcile also delete objects that no upload of this database made, after the grace period',
    )
    .option('--json', 'print one JSON object a tenant')
    .addHelpText('after', '\nThe exit code is 1 when a run was stopped, refused or failed.')
    .addHelpText('after', examples('sweep reconcile --dry-run', 'sweep delete-blobs --tenant acme'))
    .action((name: string, options: RunOptions) =>
      withServices(terminal, async (services) => {
        const kind = name.toUpperCase().replaceAll('-', '_') as CleanupKind
        refuseFuture(services, options.before)
        let unfinished = 0
        for (const slug of await slugsOf(services, options.tenant)) {
          const outcome = await sweepTenant(services, slug, kind, options)
          if (outcome.ended !== null) unfinished += 1
          tell(terminal, slug, outcome, options)
        }
        if (unfinished > 0)
          throw new CommandFailed(`${unfinished} runs deleted nothing, or not all that they might have.`)
      }),
    )
}

function refuseFuture({ now }: Services, before: Date | undefined): void {
  if (before && before > now()) throw new CommandFailed('The time of --before is in the future.')
}

async function slugsOf({ database }: Services, asked: string | undefined): Promise<string[]> {
  if (asked === undefined) return (await listTenantNames(database)).map(({ slug }) => slug)
  const tenant = await findTenantBySlug(database, asked)
  if (!tenant) throw new CommandFailed(`There is no tenant "${asked}".`)
  return [tenant.slug]
}

async function sweepTenant(services: Services, slug: string, kind: CleanupKind, options: RunOptions): Promise<Outcome> {
  const ctx = { ...(await operatorIn(services, slug)), settings: services.cleanup }
  const run = {
    isDryRun: options.dryRun ?? false,
    before: options.before ?? null,
    exceedsBrake: options.exceedBrake ?? false,
    includesForeign: options.deleteForeign ?? false,
  }
  return recordRun(ctx, kind, run, sweepOf(kind).sweep)
}

function tell(terminal: Terminal, slug: string, { tally, ended }: Outcome, { json, dryRun }: RunOptions): void {
  const { examined, deleted, deletedBytes, held, found } = tally
  if (json) return printJson(terminal, { tenant: slug, examined, deleted, deletedBytes, held, found, message: ended })
  const counts = (of: Record<string, number>) => Object.entries(of).map(([what, count]) => `${what} ${count}`)
  const more = [...counts(held), ...counts(found), ...(ended === null ? [] : [ended])]
  const verb = dryRun ? 'would delete' : 'deleted'
  terminal.print(
    `${slug}: looked at ${examined}, ${verb} ${deleted} (${deletedBytes} bytes)${more.map((text) => `; ${text}`).join('')}\n`,
  )
}

import type { Command } from 'commander'
import { type CleanupKind, type Outcome, recordRun } from '../domain/sweeps/runs/recordRun.ts'
import { isId } from '../domain/ids.ts'
import { recordStrayRun } from '../domain/sweeps/strays/recordStrayRun.ts'
import type { Stray } from '../domain/sweeps/strays/strayRecords.ts'
import { findTenantById, findTenantBySlug, listTenantNames } from '../domain/tenants/findTenant.ts'
import { cleanupKindNames, sweepOf } from '../jobs/sweeps.ts'
import type { Backends } from '../run/openBackends.ts'
import { actorAt, operatorIn, withBackends } from './withBackends.ts'
import { readChoice, readTime } from './options.ts'
import { examples, CommandFailed, printJson, type Terminal } from './terminal.ts'

interface RunOptions {
  readonly tenant?: string
  readonly dryRun?: true
  readonly before?: Date
  readonly exceedBrake?: true
  readonly deleteForeign?: true
  readonly json?: true
}

const strays = 'strays'
const kindNames = [...cleanupKindNames.map((kind) => kind.toLowerCase().replaceAll('_', '-')), strays]

export function addCleanupCommands(program: Command, terminal: Terminal): void {
  addSweep(program, terminal)
}

const strayHelp = `
"strays" finds objects and unfinished multipart uploads under org/ of tenants that this database does not have. It deletes
them only with --delete-foreign. They can be files of tenants that were created after the backup that you restored, so run
it with --dry-run first. It also reports objects outside org/ and never deletes them: another application can own them.`

function addSweep(program: Command, terminal: Terminal): void {
  program
    .command('sweep')
    .description('Make one of the sweeps now, in one tenant or in all.')
    .argument('<kind>', kindNames.join(', '), readChoice(kindNames))
    .option('--tenant <slug>', 'in this tenant, for strays the id in the prefix (default: in all of them)')
    .option('--dry-run', 'report what would be deleted, and change nothing')
    .option(
      '--before <time>',
      'only what was deleted or released before this time, such as 2026-01-31T09:00:00Z',
      readTime,
    )
    .option('--exceed-brake', 'delete even more than the brake allows')
    .option(
      '--delete-foreign',
      'let reconcile and strays also delete objects that no upload of this database made, after the grace period',
    )
    .option('--json', 'print one JSON object a tenant')
    .addHelpText('after', strayHelp)
    .addHelpText('after', '\nThe exit code is 1 when a run was stopped, refused or failed.')
    .addHelpText(
      'after',
      examples('sweep reconcile --dry-run', 'sweep delete-blobs --tenant acme', 'sweep strays --dry-run'),
    )
    .action((name: string, options: RunOptions) =>
      withBackends(terminal, async (backends) => {
        if (name === strays) return searchStrays(backends, terminal, options)
        const kind = name.toUpperCase().replaceAll('-', '_') as CleanupKind
        refuseFuture(backends, options.before)
        let unfinished = 0
        for (const slug of await slugsOf(backends, options.tenant)) {
          const outcome = await sweepTenant(backends, slug, kind, options)
          if (outcome.ended !== null) unfinished += 1
          tell(terminal, slug, outcome, options)
        }
        if (unfinished > 0)
          throw new CommandFailed(`${unfinished} runs deleted nothing, or not all that they might have.`)
      }),
    )
}

async function searchStrays(backends: Backends, terminal: Terminal, options: RunOptions): Promise<void> {
  const { tenant = null, dryRun = false, exceedBrake = false, deleteForeign = false } = options
  if (options.before) throw new CommandFailed('--before is not for strays: they go after the grace period.')
  if (tenant !== null && !isId(tenant))
    throw new CommandFailed('For strays, --tenant is the id in the prefix org/<id>/.')
  if (tenant !== null && (await findTenantById(backends.database, tenant))) {
    throw new CommandFailed('This database has that tenant: run "sweep reconcile" in it.')
  }
  const ctx = { ...backends, settings: backends.cleanup, actor: actorAt(terminal) }
  const asked = { tenant, isDryRun: dryRun, exceedsBrake: exceedBrake, includesForeign: deleteForeign }
  const outcome = await recordStrayRun(ctx, asked)
  tell(terminal, null, outcome, options)
  for (const stray of options.json ? [] : outcome.strays) terminal.print(`  ${lineOf(stray)}\n`)
  if (outcome.ended !== null) throw new CommandFailed('The run deleted nothing, or not all that it might have.')
}

const lineOf = ({ prefix, tenant, objectCount, byteSize, exampleKey }: Stray) =>
  tenant === null
    ? `${prefix}  not of Filegraph, never deleted; such as ${exampleKey}`
    : `${prefix}  ${objectCount} objects, ${byteSize} bytes; such as ${exampleKey}`

function refuseFuture({ now }: Backends, before: Date | undefined): void {
  if (before && before > now()) throw new CommandFailed('The time of --before is in the future.')
}

async function slugsOf({ database }: Backends, asked: string | undefined): Promise<string[]> {
  if (asked === undefined) return (await listTenantNames(database)).map(({ slug }) => slug)
  const tenant = await findTenantBySlug(database, asked)
  if (!tenant) throw new CommandFailed(`There is no tenant "${asked}".`)
  return [tenant.slug]
}

async function sweepTenant(backends: Backends, slug: string, kind: CleanupKind, options: RunOptions): Promise<Outcome> {
  const ctx = { ...(await operatorIn(backends, slug)), settings: backends.cleanup }
  const run = {
    isDryRun: options.dryRun ?? false,
    before: options.before ?? null,
    exceedsBrake: options.exceedBrake ?? false,
    includesForeign: options.deleteForeign ?? false,
  }
  return recordRun(ctx, kind, run, sweepOf(kind).sweep)
}

/** `slug` is null if the run belongs to no tenant. */
function tell(terminal: Terminal, slug: string | null, outcome: Outcome, { json, dryRun }: RunOptions): void {
  const { tally, ended, ...more } = outcome
  const { examined, deleted, deletedBytes, held, found } = tally
  const counted = { examined, deleted, deletedBytes, held, found, message: ended }
  if (json) return printJson(terminal, { tenant: slug, ...counted, ...more })
  const counts = (of: Record<string, number>) => Object.entries(of).map(([what, count]) => `${what} ${count}`)
  const remarks = [...counts(held), ...counts(found), ...(ended === null ? [] : [ended])]
  const verb = dryRun ? 'would delete' : 'deleted'
  terminal.print(
    `${slug ?? strays}: looked at ${examined}, ${verb} ${deleted} (${deletedBytes} bytes)${remarks.map((text) => `; ${text}`).join('')}\n`,
  )
}

import type { Command } from 'commander'
import { checkIntegrity, type IntegrityOptions } from '../domain/fsck/checkIntegrity.ts'
import type { Finding } from '../domain/fsck/finding.ts'
import { mendCounters } from '../domain/fsck/mendCounters.ts'
import { findTenantBySlug, type TenantName } from '../domain/tenants/findTenant.ts'
import type { Backends } from '../run/openBackends.ts'
import { examples, CommandFailed, printJson, type Terminal } from './terminal.ts'
import { withBackends } from './withBackends.ts'

interface FsckOptions {
  readonly tenant?: string
  readonly json?: true
  readonly repair?: true
  readonly skipBucket?: true
}

export function addFsckCommand(program: Command, terminal: Terminal): void {
  program
    .command('fsck')
    .description(
      'Check that the database and the bucket keep every promise to each other, and report each that is broken.',
    )
    .option('--tenant <slug>', 'only this tenant (default: all of them)')
    .option('--skip-bucket', 'look at the database alone')
    .option('--repair', 'set counters to what is counted, then check again; bytes and history are never touched')
    .option('--json', 'print one JSON object a finding, and one with the sums in the end')
    .addHelpText('after', '\nThe exit code is 1 if there are problems, or if an answer is missing.')
    .addHelpText('after', examples('fsck', 'fsck --tenant acme --json'))
    .action((options: FsckOptions) =>
      withBackends(terminal, async (backends) => {
        const tenant = options.tenant === undefined ? undefined : await find(backends, options.tenant)
        const asked: IntegrityOptions = { tenant, skipsBucket: options.skipBucket }
        const mended = options.repair ? await mend(backends, asked, terminal, options) : 0
        const { violations, information } = await tell(backends, asked, terminal, options)
        if (options.json) printJson(terminal, { summary: { violations, information, mended } })
        else terminal.print(`${violations} violations, ${information} remarks, ${mended} mended.\n`)
        if (violations > 0) throw new CommandFailed('Problems were found.')
      }),
    )
}

async function find({ database }: Backends, slug: string): Promise<TenantName> {
  const tenant = await findTenantBySlug(database, slug)
  if (!tenant) throw new CommandFailed(`There is no tenant "${slug}". The command "tenant list" shows those there are.`)
  return tenant
}

async function tell(backends: Backends, asked: IntegrityOptions, terminal: Terminal, { json }: FsckOptions) {
  let [violations, information] = [0, 0]
  for await (const finding of checkIntegrity(backends, asked)) {
    if (finding.severity === 'VIOLATION') violations += 1
    else information += 1
    if (json) printJson(terminal, toldAs(finding))
    else terminal.print(`${lineOf(finding)}\n`)
  }
  return { violations, information }
}

/** Each repair is printed at once, because the check that follows no longer finds the violation. */
async function mend(backends: Backends, asked: IntegrityOptions, terminal: Terminal, { json }: FsckOptions) {
  let mended = 0
  for await (const finding of mendCounters(backends, { ...asked, skipsBucket: true })) {
    mended += 1
    if (json) printJson(terminal, { mended: toldAs(finding) })
    else terminal.print(`mended     ${finding.invariant} ${finding.tenant?.slug}: ${finding.message}\n`)
  }
  return mended
}

const toldAs = ({ tenant, ...finding }: Finding) => ({ tenant: tenant?.slug ?? null, ...finding })

const lineOf = ({ severity, invariant, tenant, message }: Finding) =>
  `${severity === 'VIOLATION' ? 'VIOLATION ' : 'remark    '} ${invariant} ${tenant ? `${tenant.slug}: ` : ''}${message}`

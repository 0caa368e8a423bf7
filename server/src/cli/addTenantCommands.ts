import type { Command } from 'commander'
import { createTenant, type Tenant, type TenantPolicy, listTenants } from '../domain/tenants/createTenant.ts'
import { updateTenant } from '../domain/tenants/updateTenant.ts'
import { operatorIn, withBackends } from './withBackends.ts'
import { collect, orWord, readByteSize, readCount, readDuration } from './options.ts'
import { examples, printTable, CommandFailed, printJson, type Terminal } from './terminal.ts'

interface PolicyOptions {
  readonly quotaBytes?: number | 'none'
  readonly maxFileBytes?: number | 'default'
  readonly allowType?: string[]
  readonly trashDays?: number | 'default'
  readonly intentLifetime?: number | 'default'
  readonly downloadLifetime?: number | 'default'
}

interface CreateOptions extends PolicyOptions {
  readonly name: string
  readonly json?: true
}

interface UpdateOptions extends PolicyOptions {
  readonly name?: string
  readonly json?: true
}

export function addTenantCommands(program: Command, terminal: Terminal): void {
  const tenant = program.command('tenant').description('Make, change and list tenants.')
  addTenantCreate(tenant, terminal)
  addTenantUpdate(tenant, terminal)
  addTenantList(tenant, terminal)
}

function addTenantCreate(tenant: Command, terminal: Terminal): void {
  withPolicyOptions(tenant.command('create'))
    .description('Make a tenant.')
    .argument('<slug>', '2 to 40 lower-case letters, digits and hyphens')
    .requiredOption('--name <name>', 'what people call it')
    .option('--json', 'print the tenant as JSON')
    .addHelpText(
      'after',
      examples(
        'tenant create acme --name "Acme Studio"',
        'tenant create press --name Press --quota-bytes 50GB --allow-type image/ --allow-type application/pdf',
      ),
    )
    .action((slug: string, options: CreateOptions) =>
      withBackends(terminal, async (backends) => {
        const { policy } = policyUpdate(options)
        const made = await createTenant(backends, { slug, name: options.name, policy })
        if (options.json) printJson(terminal, described(made))
        else terminal.print(`Made the tenant ${made.slug} (${made.name}).\n`)
      }),
    )
}

function addTenantUpdate(tenant: Command, terminal: Terminal): void {
  withPolicyOptions(tenant.command('update'))
    .description('Change the name or the policy of a tenant. What is left out stays.')
    .argument('<slug>', 'the tenant')
    .option('--name <name>', 'what people call it')
    .option('--json', 'print the tenant as JSON')
    .addHelpText(
      'after',
      examples('tenant update acme --quota-bytes 200GB --trash-days 14', 'tenant update press --allow-type default'),
    )
    .action((slug: string, options: UpdateOptions) =>
      withBackends(terminal, async (backends) => {
        const { name } = options
        const update = { ...(name !== undefined && { name }), ...policyUpdate(options) }
        if (Object.keys({ ...update.policy }).length + update.reset.length === 0 && name === undefined) {
          throw new CommandFailed('There is nothing to change. The options of "tenant update --help" say what can be.')
        }
        const changed = await updateTenant(await operatorIn(backends, slug), update)
        if (options.json) printJson(terminal, described(changed))
        else terminal.print(`Changed the tenant ${changed.slug} (${changed.name}).\n`)
      }),
    )
}

/** The operator's value is also the upper limit for an OWNER. `default` removes the limit. */
const withPolicyOptions = (command: Command): Command =>
  command
    .option(
      '--quota-bytes <size>',
      'space for all files together, such as 50GB, or "none"',
      orWord('none', readByteSize),
    )
    .option('--max-file-bytes <size>', 'the largest file (default: 5GiB)', orWord('default', readByteSize))
    .option(
      '--allow-type <type>',
      'a content type to accept, or "image/" for a kind; repeatable (default: all)',
      collect,
    )
    .option(
      '--trash-days <days>',
      'days for which deleted files can be restored (default: 30)',
      orWord('default', readCount(0)),
    )
    .option('--intent-lifetime <time>', 'time that an upload has (default: 24h)', orWord('default', readDuration))
    .option(
      '--download-lifetime <time>',
      'the longest life of a download URL (default: 24h)',
      orWord('default', readDuration),
    )
    .addHelpText('after', '\nA value that is set here is also the most that an OWNER of the tenant can choose.')
    .addHelpText('after', 'The word "default" as a value returns to the default and removes that bound.')

const optionOf = {
  maxFileBytes: 'maxFileBytes',
  trashDays: 'trashDays',
  intentLifetimeSeconds: 'intentLifetime',
  downloadMaxSeconds: 'downloadLifetime',
} as const satisfies Partial<Record<keyof TenantPolicy, keyof PolicyOptions>>

/** The policy fields that the options set, and those that they reset to the default. */
function policyUpdate(options: PolicyOptions): { policy: Partial<TenantPolicy>; reset: (keyof TenantPolicy)[] } {
  const fields = Object.entries(optionOf) as [keyof typeof optionOf, (typeof optionOf)[keyof typeof optionOf]][]
  const numbers = fields.flatMap(([field, option]) =>
    typeof options[option] === 'number' ? [[field, options[option]]] : [],
  )
  const reset: (keyof TenantPolicy)[] = fields
    .filter(([, option]) => options[option] === 'default')
    .map(([field]) => field)
  const { quotaBytes, allowType } = options
  const isEveryType = allowType?.includes('default') === true
  if (isEveryType) reset.push('allowedContentTypes')
  return {
    policy: {
      ...(Object.fromEntries(numbers) as Partial<TenantPolicy>),
      ...(quotaBytes !== undefined && { quotaBytes: quotaBytes === 'none' ? null : quotaBytes }),
      ...(allowType !== undefined && !isEveryType && { allowedContentTypes: allowType }),
    },
    reset,
  }
}

function addTenantList(tenant: Command, terminal: Terminal): void {
  tenant
    .command('list')
    .description('List all tenants, by slug.')
    .option('--json', 'print an array of JSON objects')
    .addHelpText('after', examples('tenant list', 'tenant list --json'))
    .action((options: { readonly json?: true }) =>
      withBackends(terminal, async (backends) => {
        const tenants = await listTenants(backends)
        if (options.json) return printJson(terminal, tenants.map(described))
        const rows = tenants.map(({ slug, name, createdAt, quotaBytes }) => [
          slug,
          createdAt.toISOString().slice(0, 10),
          quotaBytes === null ? 'none' : String(quotaBytes),
          name,
        ])
        printTable(terminal, ['SLUG', 'SINCE', 'QUOTA BYTES', 'NAME'], rows)
      }),
    )
}

const described = ({ id, slug, name, createdAt, policyCeiling, ...policy }: Tenant) => ({
  id,
  slug,
  name,
  createdAt,
  policy,
  policyCeiling,
})

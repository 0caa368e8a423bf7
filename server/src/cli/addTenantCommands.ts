import type { Command } from 'commander'
import { createTenant, type Tenant } from '../domain/tenants/createTenant.ts'
import { listTenants } from '../domain/tenants/listTenants.ts'
import { examples } from './examples.ts'
import { printTable } from './printTable.ts'
import { collect, readByteSize, readCount, readDuration } from './readOption.ts'
import { printJson, type Terminal } from './terminal.ts'
import { withServices } from './withServices.ts'

interface CreateOptions {
  readonly name: string
  readonly quotaBytes?: number
  readonly maxFileBytes?: number
  readonly allowType?: string[]
  readonly trashDays?: number
  readonly intentLifetime?: number
  readonly json?: true
}

export function addTenantCommands(program: Command, terminal: Terminal): void {
  const tenant = program.command('tenant').description('Make and list tenants.')
  addTenantCreate(tenant, terminal)
  addTenantList(tenant, terminal)
}

function addTenantCreate(tenant: Command, terminal: Terminal): void {
  tenant
    .command('create')
    .description('Make a tenant.')
    .argument('<slug>', '2 to 40 lower-case letters, digits and hyphens')
    .requiredOption('--name <name>', 'what people call it')
    .option('--quota-bytes <size>', 'most that all its files may take, such as 50GB (default: no bound)', readByteSize)
    .option('--max-file-bytes <size>', 'most that one file may take (default: 5GiB)', readByteSize)
    .option(
      '--allow-type <type>',
      'accept this content type, or "image/" for a kind; repeatable (default: all)',
      collect,
    )
    .option('--trash-days <days>', 'how long deleted files can be restored (default: 30)', readCount(0))
    .option('--intent-lifetime <time>', 'how long an upload may take, such as 24h (default: 24h)', readDuration)
    .option('--json', 'print the tenant as JSON')
    .addHelpText(
      'after',
      examples(
        'tenant create acme --name "Acme Studio"',
        'tenant create press --name Press --quota-bytes 50GB --allow-type image/ --allow-type application/pdf',
      ),
    )
    .action((slug: string, options: CreateOptions) =>
      withServices(terminal, async (services) => {
        const policy = policyOf(options)
        const made = await createTenant(services, { slug, name: options.name, policy })
        if (options.json) printJson(terminal, described(made))
        else terminal.print(`Made the tenant ${made.slug} (${made.name}).\n`)
      }),
    )
}

function policyOf({ quotaBytes, maxFileBytes, allowType, trashDays, intentLifetime }: CreateOptions) {
  return {
    ...(quotaBytes !== undefined && { quotaBytes }),
    ...(maxFileBytes !== undefined && { maxFileBytes }),
    ...(allowType !== undefined && { allowedContentTypes: allowType.map((type) => type.toLowerCase()) }),
    ...(trashDays !== undefined && { trashDays }),
    ...(intentLifetime !== undefined && { intentLifetimeSeconds: intentLifetime }),
  }
}

function addTenantList(tenant: Command, terminal: Terminal): void {
  tenant
    .command('list')
    .description('List all tenants, by slug.')
    .option('--json', 'print an array of JSON objects')
    .addHelpText('after', examples('tenant list', 'tenant list --json'))
    .action((options: { readonly json?: true }) =>
      withServices(terminal, async (services) => {
        const tenants = await listTenants(services)
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

const described = ({ id, slug, name, createdAt, ...policy }: Tenant) => ({ id, slug, name, createdAt, policy })

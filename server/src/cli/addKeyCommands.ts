import type { Command } from 'commander'
import type { Context, Role } from '../domain/context.ts'
import { type ListedApiKey, createApiKey, listApiKeys, revokeApiKey } from '../domain/identity/keys/apiKeys.ts'
import { operatorIn, withBackends } from './withBackends.ts'
import { readCount, roleOption } from './options.ts'
import { examples, printTable, printJson, type Terminal } from './terminal.ts'

interface InTenant {
  readonly tenant: string
  readonly json?: true
}

interface CreateOptions extends InTenant {
  readonly name: string
  readonly role: Role
  readonly expiresInDays?: number
}

export function addKeyCommands(program: Command, terminal: Terminal): void {
  const key = program.command('key').description('Make, list and revoke API keys.')
  addKeyCreate(key, terminal)
  addKeyList(key, terminal)
  addKeyRevoke(key, terminal)
}

function addKeyCreate(key: Command, terminal: Terminal): void {
  key
    .command('create')
    .description('Make an API key and print it: nothing else, and only this once.')
    .requiredOption('--tenant <slug>', 'the tenant')
    .requiredOption('--name <name>', 'what the key is for')
    .addOption(roleOption())
    .option('--expires-in-days <days>', 'when it ends by itself (default: never)', readCount(1))
    .option('--json', 'print the key and what is known about it as JSON')
    .addHelpText(
      'after',
      examples(
        'key create --tenant acme --name backup --role VIEWER',
        'key create --tenant acme --name import --role MEMBER --expires-in-days 90 --json',
      ),
    )
    .action((options: CreateOptions) =>
      withBackends(terminal, async (backends) => {
        const ctx = await operatorIn(backends, options.tenant)
        const { name, role } = options
        const { apiKey, secret } = await createApiKey(ctx, { name, role, expiresAt: expiryOf(ctx, options) })
        const { id, createdAt, expiresAt } = apiKey
        if (!options.json) terminal.print(`${secret}\n`)
        else printJson(terminal, { id, key: secret, name, role, tenant: options.tenant, createdAt, expiresAt })
      }),
    )
}

function expiryOf(ctx: Context, { expiresInDays }: CreateOptions): Date | null {
  return expiresInDays === undefined ? null : new Date(ctx.now().getTime() + expiresInDays * 86_400_000)
}

function addKeyList(key: Command, terminal: Terminal): void {
  key
    .command('list')
    .description('List the API keys of a tenant, newest first. Secrets are not kept, so they are not shown.')
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--json', 'print an array of JSON objects')
    .addHelpText('after', examples('key list --tenant acme'))
    .action((options: InTenant) =>
      withBackends(terminal, async (backends) => {
        const ctx = await operatorIn(backends, options.tenant)
        const keys = await listApiKeys(ctx)
        if (options.json) return printJson(terminal, keys)
        const rows = keys.map((each) => [
          each.id,
          each.role,
          stateOf(each, ctx.now()),
          dayOf(each.lastUsedAt),
          each.name,
        ])
        printTable(terminal, ['ID', 'ROLE', 'STATE', 'LAST USED', 'NAME'], rows)
      }),
    )
}

function addKeyRevoke(key: Command, terminal: Terminal): void {
  key
    .command('revoke')
    .description('End an API key at once. Doing it again changes nothing.')
    .argument('<id>', 'as "key list" shows it')
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--json', 'print the key as JSON')
    .addHelpText('after', examples('key revoke 01a0c9f2-6a5e-7c3b-9d1e-0f2a4b6c8d0e --tenant acme'))
    .action((id: string, options: InTenant) =>
      withBackends(terminal, async (backends) => {
        const revoked = await revokeApiKey(await operatorIn(backends, options.tenant), id)
        const { name, role, revokedAt } = revoked
        if (options.json) printJson(terminal, { id, name, role, revokedAt })
        else terminal.print(`The key "${name}" is revoked.\n`)
      }),
    )
}

function stateOf({ revokedAt, expiresAt }: ListedApiKey, now: Date): string {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt === null) return 'active'
  return expiresAt <= now ? 'expired' : `until ${dayOf(expiresAt)}`
}

const dayOf = (time: Date | null): string => (time === null ? 'never' : time.toISOString().slice(0, 10))

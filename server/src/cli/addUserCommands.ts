import { randomBytes } from 'node:crypto'
import { type Command, Option } from 'commander'
import type { Role } from '../domain/context.ts'
import { createUser } from '../domain/identity/createUser.ts'
import { examples } from './examples.ts'
import { operatorIn } from './operatorIn.ts'
import { readPassword } from './readPassword.ts'
import { roleOption } from './roleOption.ts'
import { printJson, type Terminal } from './terminal.ts'
import { withServices } from './withServices.ts'

interface CreateOptions {
  readonly tenant: string
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly password?: string
  readonly passwordStdin?: true
  readonly json?: true
}

export function addUserCommands(program: Command, terminal: Terminal): void {
  program
    .command('user')
    .description('Give people access to a tenant.')
    .command('create')
    .description('Make someone a member of a tenant, with an account if they have none yet.')
    .requiredOption('--tenant <slug>', 'the tenant')
    .requiredOption('--email <address>', 'what they sign in with')
    .requiredOption('--name <name>', 'what people call them')
    .addOption(roleOption())
    .option('--password <text>', 'their password; others on this machine may see it while the command runs')
    .addOption(
      new Option('--password-stdin', 'read the password from standard input, unseen on a terminal').conflicts(
        'password',
      ),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nWithout a password one is made up and printed, this once.')
    .addHelpText(
      'after',
      examples(
        'user create --tenant acme --email ada@example.com --name "Ada Lindqvist" --role OWNER',
        'user create --tenant acme --email vic@example.com --name Vic --role VIEWER --password-stdin',
      ),
    )
    .action((options: CreateOptions) => createMember(terminal, options))
}

async function createMember(terminal: Terminal, options: CreateOptions): Promise<void> {
  const { tenant, email, name, role } = options
  const given = options.passwordStdin ? await readPassword(terminal) : options.password
  const password = given ?? randomBytes(12).toString('base64url')
  await withServices(terminal, async (services) => {
    await operatorIn(services, tenant)
    const { userId, isNewUser } = await createUser(services, { tenantSlug: tenant, email, name, role, password })
    const madeUp = isNewUser && given === undefined ? { password } : {}
    if (options.json) return printJson(terminal, { userId, email, tenant, role, isNewUser, ...madeUp })
    terminal.print(`${email} is now ${role} of ${tenant}.\n`)
    if (!isNewUser) terminal.print('The account was there before and keeps its name and password.\n')
    if (madeUp.password !== undefined) terminal.print(`Password: ${madeUp.password}\n`)
  })
}

import { randomBytes } from 'node:crypto'
import { type Command, Option } from 'commander'
import type { Role } from '../domain/context.ts'
import { changeRole, listMembers, removeMember, setPassword } from '../domain/identity/people/changeMembers.ts'
import { createUser } from '../domain/identity/people/createUser.ts'
import { operatorIn, withBackends } from './withBackends.ts'
import { readPassword, roleOption } from './options.ts'
import { examples, printTable, printJson, type Terminal } from './terminal.ts'

interface MemberOptions {
  readonly tenant: string
  readonly email: string
}

interface PasswordOptions {
  readonly password?: string
  readonly passwordStdin?: true
}

interface CreateOptions extends MemberOptions, PasswordOptions {
  readonly name: string
  readonly role: Role
  readonly json?: true
}

export function addUserCommands(program: Command, terminal: Terminal): void {
  const user = program.command('user').description('Give people access to a tenant, change it and take it back.')
  addUserCreate(user, terminal)
  addUserList(user, terminal)
  addUserSetRole(user, terminal)
  addUserRemove(user, terminal)
  addUserSetPassword(user, terminal)
}

function addUserCreate(user: Command, terminal: Terminal): void {
  withPasswordOptions(withMember(user.command('create')))
    .description('Make someone a member of a tenant, with an account if they have none yet.')
    .requiredOption('--name <name>', 'what people call them')
    .addOption(roleOption())
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

function addUserList(user: Command, terminal: Terminal): void {
  user
    .command('list')
    .description('List the members of a tenant, by name.')
    .requiredOption('--tenant <slug>', 'the tenant')
    .option('--json', 'print an array of JSON objects')
    .addHelpText('after', examples('user list --tenant acme'))
    .action(({ tenant, json }: { readonly tenant: string; readonly json?: true }) =>
      withBackends(terminal, async (backends) => {
        const members = await listMembers(await operatorIn(backends, tenant))
        if (json) return printJson(terminal, members)
        const rows = members.map(({ email, role, joinedAt, name }) => [
          email ?? '',
          role,
          joinedAt.toISOString().slice(0, 10),
          name,
        ])
        printTable(terminal, ['EMAIL', 'ROLE', 'SINCE', 'NAME'], rows)
      }),
    )
}

function addUserSetRole(user: Command, terminal: Terminal): void {
  withMember(user.command('set-role'))
    .description('Give a member another role. It holds from their next request on.')
    .addOption(roleOption())
    .addHelpText('after', examples('user set-role --tenant acme --email ada@example.com --role ADMIN'))
    .action(({ tenant, email, role }: MemberOptions & { readonly role: Role }) =>
      withBackends(terminal, async (backends) => {
        await changeRole(await operatorIn(backends, tenant), email, role)
        terminal.print(`${email} is now ${role} of ${tenant}.\n`)
      }),
    )
}

function addUserRemove(user: Command, terminal: Terminal): void {
  withMember(user.command('remove'))
    .description('End a membership and all sessions of the user. Their files, and their account, stay.')
    .addHelpText('after', examples('user remove --tenant acme --email vic@example.com'))
    .action(({ tenant, email }: MemberOptions) =>
      withBackends(terminal, async (backends) => {
        const { activeKeys } = await removeMember(await operatorIn(backends, tenant), email)
        terminal.print(`${email} is no longer a member of ${tenant}. All their sessions have ended.\n`)
        if (activeKeys > 0) {
          terminal.print(
            `API keys that they created and that still work: ${activeKeys}. See "key list", "key revoke".\n`,
          )
        }
      }),
    )
}

function addUserSetPassword(user: Command, terminal: Terminal): void {
  withPasswordOptions(withMember(user.command('set-password')))
    .description('Replace the password of a member, in all their tenants, and end all their sessions.')
    .addHelpText('after', '\nWithout a password one is made up and printed, this once.')
    .addHelpText('after', examples('user set-password --tenant acme --email ada@example.com --password-stdin'))
    .action(async (options: MemberOptions & PasswordOptions) => {
      const { password, isMadeUp } = await passwordFrom(terminal, options)
      await withBackends(terminal, async (backends) => {
        await setPassword(await operatorIn(backends, options.tenant), options.email, password)
        terminal.print(`${options.email} has a new password. All their sessions have ended.\n`)
        if (isMadeUp) terminal.print(`Password: ${password}\n`)
      })
    })
}

const withMember = (command: Command): Command =>
  command.requiredOption('--tenant <slug>', 'the tenant').requiredOption('--email <address>', 'what they sign in with')

const withPasswordOptions = (command: Command): Command =>
  command
    .option('--password <text>', 'their password; others on this machine may see it while the command runs')
    .addOption(
      new Option('--password-stdin', 'read the password from standard input, unseen on a terminal').conflicts(
        'password',
      ),
    )

async function passwordFrom(terminal: Terminal, options: PasswordOptions) {
  const given = options.passwordStdin ? await readPassword(terminal) : options.password
  return { password: given ?? randomBytes(12).toString('base64url'), isMadeUp: given === undefined }
}

async function createMember(terminal: Terminal, options: CreateOptions): Promise<void> {
  const { tenant, email, name, role } = options
  const { password, isMadeUp } = await passwordFrom(terminal, options)
  await withBackends(terminal, async (backends) => {
    await operatorIn(backends, tenant)
    const { userId, isNewUser } = await createUser(backends, { tenantSlug: tenant, email, name, role, password })
    const madeUp = isNewUser && isMadeUp ? { password } : {}
    if (options.json) return printJson(terminal, { userId, email, tenant, role, isNewUser, ...madeUp })
    terminal.print(`${email} is now ${role} of ${tenant}.\n`)
    if (!isNewUser) terminal.print('The account was there before and keeps its name and password.\n')
    if (madeUp.password !== undefined) terminal.print(`Password: ${madeUp.password}\n`)
  })
}

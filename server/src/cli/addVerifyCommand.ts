import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import postgres from 'postgres'
import { usualSchema } from '../database/databaseAddress.ts'
import { driverOptions, Servers } from '../database/servers.ts'
import { appRole } from '../database/roles.ts'
import { checkIntegrity } from '../domain/fsck/checkIntegrity.ts'
import type { IntegrityContext, Invariant } from '../domain/fsck/finding.ts'
import { listTenantNames } from '../domain/tenants/findTenant.ts'
import type { Backends } from '../run/openBackends.ts'
import { probeBucket } from '../storage/s3/probeBucket.ts'
import { sentenceFor } from './sentenceFor.ts'
import { CommandFailed, type Terminal, examples, printJson } from './terminal.ts'
import { acknowledged, declared, history, inUse, promises, purge, unchangeable } from './verify/promises.ts'
import { type Answer, type Promised, type VerifyContext, broken, ok, unproven } from './verify/proof.ts'
import { type CommandParts, withBackends } from './withBackends.ts'

interface VerifyOptions {
  readonly json?: true
  readonly skipFsck?: true
}

const triedTenants = 20
const marks = { OK: 'ok      ', BROKEN: 'BROKEN  ', UNPROVEN: 'unproven' } as const

export function addVerifyCommand(program: Command, terminal: Terminal): void {
  program
    .command('verify')
    .description('Check each promise of ARCHITECTURE.md on the running system, and print how to check it by hand.')
    .option('--skip-fsck', 'leave out the check of every row and object, which takes long where there are many')
    .option('--json', 'print one JSON object a promise')
    .addHelpText(
      'after',
      '\nChanges nothing: what it tries is refused or taken back, and its probe objects are removed.',
    )
    .addHelpText('after', '\nThe exit code is 1 when a promise is broken, or when an answer is missing.')
    .addHelpText('after', examples('verify', 'verify --json'))
    .action((options: VerifyOptions) =>
      withBackends(terminal, async (backends, parts) => {
        const application = openApplication(parts)
        try {
          const ctx = await contextOf(backends, parts, application, options)
          const failures = await tellAll(ctx, terminal, options)
          if (failures > 0)
            throw new CommandFailed(`${failures} of ${promises.length} promises are broken or got no answer.`)
        } finally {
          await application.end({ timeout: 1 })
        }
      }),
    )
}

/**
 * Connects without the pool, whose statements name their tenant. Here row-level security alone has to keep tenants
 * apart.
 */
const openApplication = ({ addresses }: CommandParts): postgres.Sql =>
  postgres({
    ...driverOptions(new Servers(addresses.databaseUrl)),
    max: 1,
    onnotice: () => undefined,
    connect_timeout: 5,
    connection: {
      application_name: 'filegraph verify',
      role: appRole,
      search_path: addresses.schema ?? usualSchema,
      statement_timeout: 60_000,
    },
  })

async function contextOf(
  backends: Backends,
  { addresses, config }: CommandParts,
  application: postgres.Sql,
  { skipFsck }: VerifyOptions,
): Promise<VerifyContext> {
  const log = join(config.dataDirectory, 'logs', 'filegraph.log')
  let probed: ReturnType<VerifyContext['bucket']> | undefined
  return {
    backends,
    application,
    tenants: (await listTenantNames(backends.database)).slice(0, triedTenants),
    bucket: () => (probed ??= probeBucket(addresses.bucket)),
    integrity: skipFsck ? integrityUnasked : askIntegrity(backends),
    logFiles: [log, `${log}.1`].filter((path) => existsSync(path)),
    secrets: [addresses.bucket.secretAccessKey],
  }
}

async function tellAll(ctx: VerifyContext, terminal: Terminal, { json }: VerifyOptions): Promise<number> {
  let failures = 0
  for (const promised of promises) {
    const { isMissing, state, answer } = await ask(promised, ctx)
    if (isMissing || state === 'BROKEN') failures += 1
    const { promise, asks, byHand } = promised
    if (json) printJson(terminal, { promise, asks, state, answer, byHand })
    else {
      const commands = byHand.map(
        ({ command, expected }) =>
          `          $ ${command}\n          = ${expected.replaceAll('\n', '\n            ')}\n`,
      )
      terminal.print(`${marks[state]}  ${promise}\n          ${asks}\n          ${answer}\n${commands.join('')}`)
    }
  }
  return failures
}

/** A part that does not answer proves nothing. The other promises are still checked. */
async function ask({ prove }: Promised, ctx: VerifyContext): Promise<Answer & { readonly isMissing: boolean }> {
  try {
    return { isMissing: false, ...(await prove(ctx)) }
  } catch (error) {
    return { isMissing: true, state: 'UNPROVEN', answer: sentenceFor(error) }
  }
}

/** The promise that each invariant belongs to. */
const promiseOf: Readonly<Record<Invariant, string>> = {
  BYTES: acknowledged,
  QUARANTINE: acknowledged,
  VERSION_SIZE: unchangeable,
  VERSIONS: inUse,
  FILE_AS_VERSION: declared,
  ATTACHMENT_COUNT: inUse,
  REFCOUNT: inUse,
  USAGE: acknowledged,
  LIFECYCLE: inUse,
  KEY: unchangeable,
  ORPHAN: acknowledged,
  OVERDUE: purge,
  JOURNAL: history,
  RELEASE: purge,
  BUCKET: acknowledged,
}

/** Checks the integrity once and answers for each promise from the findings. */
export function askIntegrity(ctx: IntegrityContext): (promise: string) => Promise<Answer> {
  let checked: Promise<ReadonlyMap<string, Found>> | undefined
  return async (promise) => {
    checked ??= check(ctx)
    const found = (await checked).get(promise)
    if (!found) return ok('fsck finds nothing against it')
    return broken(`fsck finds ${found.count} violations, such as: ${found.example}`)
  }
}

/** For `--skip-fsck`. */
export const integrityUnasked = (): Promise<Answer> => Promise.resolve(unproven('fsck was left out'))

interface Found {
  readonly count: number
  readonly example: string
}

async function check(ctx: IntegrityContext): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>()
  for await (const { severity, invariant, message } of checkIntegrity(ctx)) {
    if (severity !== 'VIOLATION') continue
    const promise = promiseOf[invariant]
    const before = found.get(promise)
    found.set(promise, { count: (before?.count ?? 0) + 1, example: before?.example ?? message })
  }
  return found
}

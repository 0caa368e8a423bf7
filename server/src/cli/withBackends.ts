import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, readConfig } from '../config/config.ts'
import { type Context, systemPrincipal } from '../domain/context.ts'
import { findTenantBySlug } from '../domain/tenants/findTenant.ts'
import { type DataDirectory, findRunningInstance, openDataDirectory } from '../embedded/folder/dataDirectory.ts'
import { FolderInUse, isRunning } from '../embedded/folder/folderLock.ts'
import { addressesBeside } from '../run/addresses.ts'
import { Closing } from '../run/closing.ts'
import { migrateEverything } from '../run/migrateEverything.ts'
import { type Addresses, type Backends, openBackends } from '../run/openBackends.ts'
import { naming, variablesOf } from '../run/partFailed.ts'
import { pendingMigrations } from '../run/readiness.ts'
import { CommandFailed, type Terminal, quietLogger } from './terminal.ts'

export interface CommandParts {
  readonly config: Config
  readonly addresses: Addresses
}

const patienceMs = 20_000
const pauseMs = 200

/**
 * Finds the database and the bucket and runs `work` with their addresses. It uses the configured ones, or those of the
 * instance that runs on the data folder. If no instance runs, it starts the embedded ones for the duration of the
 * command.
 */
export async function withParts<T>(
  terminal: Terminal,
  work: (parts: CommandParts) => Promise<T>,
  { migrates = true } = {},
): Promise<T> {
  const config = readConfig(terminal.env)
  const external = addressesBeside(config, null, null)
  if (external) return work({ config, addresses: external })
  const found = await findOrLock(config)
  if ('addresses' in found) return work({ config, addresses: found.addresses })
  const closing = new Closing(quietLogger)
  closing.add('folder', () => found.directory.release())
  try {
    // Imported only here, because most commands run beside an instance or on external parts.
    const { openParts } = await import('../run/openParts.ts')
    const { addresses } = await openParts(config, found.directory, closing, quietLogger)
    // The embedded tables belong to Filegraph alone, so a command before the first start migrates them.
    if (migrates && config.database.kind === 'embedded') await migrateEverything(addresses, quietLogger)
    return await work({ config, addresses })
  } finally {
    await closing.closeAll()
  }
}

/** Another command can hold the folder for a moment, and a starting instance has not written its ports yet. */
async function findOrLock(config: Config): Promise<{ addresses: Addresses } | { directory: DataDirectory }> {
  for (const end = Date.now() + patienceMs; ; await sleep(pauseMs)) {
    const running = await findRunningInstance(config.dataDirectory)
    const isUp = running !== null && isRunning(running.instance.pid)
    const addresses = isUp ? addressesBeside(config, running.instance, running.secrets) : null
    if (addresses) return { addresses }
    try {
      return { directory: await openDataDirectory(config.dataDirectory) }
    } catch (error) {
      if (!(error instanceof FolderInUse) || Date.now() > end) throw error
    }
  }
}

export const notMigrated = 'The database is not up to date. Run: npm run -s filegraph -- migrate'

/** Opens the database and the bucket that `withParts` finds, and runs a command on them. Refuses a database with pending migrations. */
export function withBackends<T>(
  terminal: Terminal,
  work: (backends: Backends, parts: CommandParts) => Promise<T>,
): Promise<T> {
  return withParts(terminal, async (parts) => {
    const { addresses, config } = parts
    const backends = openBackends({
      ...addresses,
      logger: quietLogger,
      poolSize: 2,
      cleanup: config.cleanup,
      applicationName: 'filegraph command',
    })
    try {
      const { database } = variablesOf(config)
      const pending = await naming(database, () => pendingMigrations(backends.database))
      if (pending > 0) throw new CommandFailed(notMigrated)
      return await work(backends, parts)
    } finally {
      await backends.close()
    }
  })
}

/**
 * The operator acts in a tenant as the system principal. Access to the machine allows everything that an OWNER may do.
 */
export async function operatorIn(
  backends: Pick<Context, 'database' | 'blobs' | 'now'>,
  slug: string,
): Promise<Context> {
  const tenant = await findTenantBySlug(backends.database, slug)
  if (!tenant) throw new CommandFailed(`There is no tenant "${slug}". The command "tenant list" shows those there are.`)
  const { database, blobs, now } = backends
  const origin = { requestId: null, address: null, userAgent: 'Filegraph command line' }
  return { principal: systemPrincipal(tenant.id), origin, database, blobs, now }
}

/** The person who decides about the whole installation. No audit log of a tenant records it. */
export const actorAt = ({ env }: Terminal): string => `${env['USER'] ?? env['LOGNAME'] ?? 'operator'}@${hostname()}`

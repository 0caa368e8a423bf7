import type { Logger } from 'pino'
import { readDatabaseAddress } from '../database/databaseAddress.ts'
import { migrate } from '../database/migrate.ts'
import { queueDriverOptions, Servers } from '../database/servers.ts'
import { migrateJobQueue } from '../jobs/jobQueue.ts'
import type { Addresses } from './openBackends.ts'

/**
 * Runs all pending migrations, including those of the job queue, and grants the application's role to its login. Safe
 * at any time.
 */
export async function migrateEverything(
  { databaseUrl, ownerUrl, schema }: Pick<Addresses, 'databaseUrl' | 'ownerUrl' | 'schema'>,
  logger: Logger,
): Promise<void> {
  const login = loginOf(databaseUrl)
  const members = login === '' || login === loginOf(ownerUrl) ? [] : [login]
  await migrate(ownerUrl, { members, ...(schema && { schema }) })
  await migrateJobQueue(queueDriverOptions(new Servers(ownerUrl)), logger)
}

const loginOf = (url: string): string => readDatabaseAddress(url).user

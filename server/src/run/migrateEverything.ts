import type { Logger } from 'pino'
import { queueDriverOptions, readDatabaseAddress } from '../database/databaseAddress.ts'
import { migrate } from '../database/migrate.ts'
import { migrateJobQueue } from '../jobs/jobQueue.ts'
import type { Addresses } from './openBackends.ts'

/** Brings all tables up to date, the job queue's too, and lets the application's login take its role. Safe at any time. */
export async function migrateEverything(
  { databaseUrl, ownerUrl, schema }: Pick<Addresses, 'databaseUrl' | 'ownerUrl' | 'schema'>,
  logger: Logger,
): Promise<void> {
  const login = loginOf(databaseUrl)
  const members = login === '' || login === loginOf(ownerUrl) ? [] : [login]
  await migrate(ownerUrl, { members, ...(schema && { schema }) })
  await migrateJobQueue(await queueDriverOptions(readDatabaseAddress(ownerUrl)), logger)
}

const loginOf = (url: string): string => readDatabaseAddress(url).user

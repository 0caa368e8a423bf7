import { queueDriverOptions, readDatabaseAddress } from '../../database/databaseAddress.ts'
import { openTenantDatabase } from '../../database/tenantDatabase.ts'
import { openJobPool } from '../../jobs/jobQueue.ts'
import { pendingMigrations } from '../../readiness.ts'
import type { Addresses } from '../../services.ts'
import { quietLogger } from '../quietLogger.ts'
import { sentenceFor } from '../sentenceFor.ts'
import { type Check, missing, ok } from './check.ts'

/**
 * Opens a connection just as the application does, with every setting that it sends at the start, and one as the job queue
 * does. A plain connection proves neither: a pooler in front of the database may refuse the settings, and the two drivers
 * could differ about TLS.
 */
export async function inspectConnections({ databaseUrl, ownerUrl }: Addresses): Promise<Check[]> {
  return Promise.all([
    attempt('connection of the application', 'DATABASE_URL', () => openAsApplication(databaseUrl)),
    attempt('connection of the job queue', 'DATABASE_MIGRATION_URL, or DATABASE_URL', () => openAsQueue(ownerUrl)),
  ])
}

async function attempt(name: string, variable: string, open: () => Promise<unknown>): Promise<Check> {
  try {
    await open()
    return ok(name, 'It can be opened with all its settings')
  } catch (error) {
    return missing(name, sentenceFor(error), `Correct ${variable}. Behind PgBouncer, name PostgreSQL itself.`)
  }
}

async function openAsApplication(url: string): Promise<void> {
  const database = openTenantDatabase({ url, size: 1, applicationName: 'filegraph doctor' })
  try {
    // Twice: a pooler can give each transaction another connection, which then lacks what the first prepared.
    for (const _ of [1, 2]) await pendingMigrations(database)
  } finally {
    await database.close()
  }
}

async function openAsQueue(url: string): Promise<void> {
  const pool = openJobPool(await queueDriverOptions(readDatabaseAddress(url)), 1, quietLogger)
  try {
    await pool.query('select 1')
  } finally {
    await pool.end()
  }
}

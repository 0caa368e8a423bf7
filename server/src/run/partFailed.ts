import type { Config } from '../config/config.ts'
import type { ConfigVariableName } from '../config/variables.ts'
import { isUnavailable } from '../database/databaseUnavailable.ts'
import { BlobStoreUnavailable } from '../storage/blobStore.ts'

/** An external part cannot be used. The cause says why. */
export class PartFailed extends Error {
  override readonly name = 'PartFailed'
  /** The variable that names the part. */
  readonly variable: ConfigVariableName
  constructor(variable: ConfigVariableName, cause: unknown) {
    super(`The part that ${variable} names cannot be used`, { cause })
    this.variable = variable
  }
}

/** The variable that names each part. Null for an embedded part. */
export function variablesOf({ database, bucket }: Pick<Config, 'database' | 'bucket'>) {
  const isExternal = database.kind === 'external'
  const nameOf = (url: string) =>
    isExternal && url === database.url ? ('DATABASE_URL' as const) : ('DATABASE_MIGRATION_URL' as const)
  const migration = isExternal ? nameOf(database.migrationUrl) : null
  const isDirect = isExternal && database.directUrl !== database.migrationUrl
  return {
    database: isExternal ? ('DATABASE_URL' as const) : null,
    migration,
    queue: isDirect ? ('DATABASE_DIRECT_URL' as const) : migration,
    bucket: bucket.kind === 'external' ? ('S3_ENDPOINT' as const) : null,
  }
}

/** Adds the name of the variable to a failed connection. `null` for an embedded part, which has no variable. */
export async function naming<T>(variable: ConfigVariableName | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (variable === null || error instanceof PartFailed) throw error
    throw isUnavailable(error) || error instanceof BlobStoreUnavailable ? new PartFailed(variable, error) : error
  }
}

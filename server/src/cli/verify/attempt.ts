import postgres from 'postgres'

/** Classes of refusal: an integrity constraint or a trigger of ours (23), and a missing privilege. */
const refusals = /^(23...|42501)$/

class RolledBack extends Error {}

/**
 * Tries a change as the application in a tenant, and takes it back whatever the answer was. True when it was refused. Gives
 * up after a second where somebody else holds the row.
 */
export async function isRefused(
  application: postgres.Sql,
  tenantId: string,
  statement: string,
  params: readonly string[] = [],
): Promise<boolean> {
  try {
    await application.begin(async (tx) => {
      await tx`set local lock_timeout = '1s'`
      await tx`select public.set_tenant(${tenantId})`
      await tx.unsafe(statement, [...params])
      throw new RolledBack()
    })
  } catch (error) {
    if (error instanceof RolledBack) return false
    if (error instanceof postgres.PostgresError && refusals.test(error.code)) return true
    throw error
  }
  throw new Error('The attempt was neither refused nor taken back')
}

/** Reads as the application in a tenant, with nothing but row-level security between it and the others. */
export const readAs = <Row>(
  application: postgres.Sql,
  tenantId: string,
  statement: string,
  params: readonly string[] = [],
): Promise<Row[]> =>
  application.begin('read only', async (tx) => {
    await tx`select public.set_tenant(${tenantId})`
    return tx.unsafe(statement, [...params]) as unknown as Row[]
  }) as Promise<Row[]>

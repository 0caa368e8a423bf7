import { sql } from 'drizzle-orm'
import { cleanupRuns } from '../../../database/tables/cleanupTables.ts'
import type { TenantDatabase } from '../../../database/tenantDatabase.ts'
import { type ClaimedRun, isHeldBy } from './heartbeat.ts'

/** Another worker has taken over the run, because this process was suspended or had no database for too long. */
export class RunTakenOver extends Error {
  override readonly name = 'RunTakenOver'
}

/** The parts of a context that a fence changes. */
export interface Fenced {
  readonly database: TenantDatabase
  /** Writes also after the run was taken over. Undefined: no fence. */
  readonly unfenced?: TenantDatabase
  /** Must be called right before each request that deletes. Rejects with `RunTakenOver`. */
  readonly assertHeld?: () => Promise<void>
}

/**
 * A context in which no transaction writes unless the worker still has the run. A suspended process wakes with what it read
 * before, which can be wrong by then. The lock on the run makes a take-over wait for the end of the transaction. It does not
 * block heartbeats.
 */
export const fenced = <C extends Fenced>(ctx: C, tenantId: string, run: ClaimedRun): C => ({
  ...ctx,
  unfenced: ctx.database,
  database: {
    ...ctx.database,
    write: (tenant, work) =>
      ctx.database.write(tenant, async (tx) => {
        const held = await tx.db
          .select({ id: cleanupRuns.id })
          .from(cleanupRuns)
          .where(isHeldBy(tx, run))
          .for('key share')
        refuseUnless(held.length > 0)
        return work(tx)
      }),
  },
  assertHeld: async () => {
    const held = await ctx.database.readOnce(tenantId, (tx) =>
      tx.db
        .select({ one: sql`1` })
        .from(cleanupRuns)
        .where(isHeldBy(tx, run)),
    )
    refuseUnless(held.length > 0)
  },
})

/** The context for a record of what was already done in the bucket. It must be written even after a take-over. */
export const withoutFence = <C extends Fenced>(ctx: C): C => ({ ...ctx, database: ctx.unfenced ?? ctx.database })

function refuseUnless(isHeld: boolean): void {
  if (!isHeld) throw new RunTakenOver('Another worker has this run')
}

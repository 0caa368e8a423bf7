import { sql } from 'drizzle-orm'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change } from '../../change.ts'
import type { Context } from '../../context.ts'
import { newId } from '../../ids.ts'
import { Invalid } from '../../refusals.ts'
import { type CleanupKind, insertRun, type RunOptions } from './recordRun.ts'

/**
 * Queues a job in the transaction that causes it: it starts once that has committed, at `runAt` or at once. One of a kind
 * waits for a tenant, however often it is asked for. A hint: the recurring jobs find the same work by its rows.
 */
export async function enqueueJob(
  tx: Transaction,
  job: 'run_cleanup' | 'delete_blobs',
  details: { readonly tenantId: string },
  runAt: Date | null,
): Promise<void> {
  const key = `${job}:${details.tenantId}`
  await tx.db.execute(
    sql`select enqueue_job(${job}::text, ${JSON.stringify(details)}::text::jsonb, ${runAt?.toISOString() ?? null}::timestamptz, ${key}::text)`,
  )
}

export interface RunId {
  readonly tenantId: string
  readonly id: string
}

/**
 * Asks for a run now. The row is the request: the worker begins it at once where it hears of it, and within a minute
 * otherwise. Refuses with `Invalid` a cut-off in the future.
 */
export async function requestCleanup(ctx: Context, kind: CleanupKind, options: RunOptions): Promise<RunId> {
  return change(ctx, async (tx) => {
    if (options.before !== null && options.before > (await readDatabaseClock(tx))) {
      throw new Invalid('before', 'This time is in the future.')
    }
    const id = newId(ctx.now())
    await insertRun(tx, ctx, { id, kind, state: 'QUEUED', claim: null, ...options })
    const { isDryRun, exceedsBrake } = options
    const before = options.before?.toISOString() ?? null
    await enqueueJob(tx, 'run_cleanup', { tenantId: tx.tenantId }, null)
    const payload = { isDryRun, before, exceedsBrake }
    return {
      answer: { tenantId: tx.tenantId, id },
      records: [{ action: 'cleanup.requested', id, name: kind, payload }],
    }
  })
}

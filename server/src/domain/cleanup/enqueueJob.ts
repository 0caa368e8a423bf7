import { sql } from 'drizzle-orm'
import type { Transaction } from '../../database/tenantDatabase.ts'

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
    sql`select filegraph.enqueue_job(${job}::text, ${JSON.stringify(details)}::text::jsonb, ${runAt?.toISOString() ?? null}::timestamptz, ${key}::text)`,
  )
}

import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'

/** Where everybody has to stop: at the row of the file, at that of the tenant's usage, or before the audit log is written. */
export type Barrier = 'FILE' | 'USAGE' | 'AUDIT_LOG'

const barriers: Readonly<Record<Barrier, string>> = {
  FILE: 'select 1 from files where id = $1 for update',
  USAGE: 'select 1 from tenant_usage where tenant_id = (select tenant_id from files where id = $1) for update',
  AUDIT_LOG: 'lock table audit_log in share mode',
}

const patienceMs = 20_000

/**
 * Starts each of the verbs once those before it stand at the barrier, or behind one that does, or have ended; then opens
 * the barrier. Rows are queued for in this order. Answers with how each ended.
 *
 * At FILE nobody has the row yet; at AUDIT_LOG the first has done all that it does, and not committed.
 */
export async function interleave<T>(
  sql: postgres.Sql,
  barrier: Barrier,
  fileId: string,
  verbs: readonly (() => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const holder = await sql.reserve()
  try {
    await holder`begin`
    await holder.unsafe(barriers[barrier], barrier === 'AUDIT_LOG' ? [] : [fileId])
    const under: Promise<T>[] = []
    let ended = 0
    const countEnd = () => {
      ended += 1
    }
    for (const verb of verbs) {
      const outcome = verb()
      under.push(outcome)
      outcome.then(countEnd, countEnd)
      await untilStill(sql, () => ended, under.length)
    }
    await holder`commit`
    return await Promise.allSettled(under)
  } finally {
    holder.release()
  }
}

/** Until all that were started wait for a lock or have ended. */
async function untilStill(sql: postgres.Sql, ended: () => number, started: number): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const [row] = await sql`select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and application_name = 'test' and wait_event_type = 'Lock'`
    if (ended() + Number(row?.['waiting']) >= started) return
    if (Date.now() > deadline) throw new Error(`${started} were started, and not all of them wait or have ended`)
    await sleep(2)
  }
}

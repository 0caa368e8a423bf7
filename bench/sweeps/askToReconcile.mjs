import { ask } from '../harness/askProduct.mjs'

const mutation = `mutation Reconcile($input: RunCleanupInput!) { runCleanup(input: $input) {
  ... on RunCleanupSuccess { cleanupRun { state } }
} }`

/** Asks for a run as the console does, and answers with its id once it has begun or is about to. */
export async function askToReconcile({ product, sql, swept }) {
  const body = JSON.stringify({ query: mutation, variables: { input: { kind: 'RECONCILE' } } })
  await ask(product, { name: 'Reconcile', key: swept.key, body })
  const [{ id }] = await sql`select id from cleanup_runs where tenant_id = ${swept.id} order by created_at desc limit 1`
  return id
}

/** Null while it waits or runs; how it ended otherwise. */
export async function endOf({ sql, swept }, id) {
  const [{ state }] = await sql`select state from cleanup_runs where tenant_id = ${swept.id} and id = ${id}`
  return state === 'QUEUED' || state === 'RUNNING' ? null : state
}

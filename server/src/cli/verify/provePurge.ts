import { listCleanupRuns } from '../../domain/cleanup/listCleanupRuns.ts'
import { systemPrincipal } from '../../domain/identity/systemPrincipal.ts'
import { readAs } from './attempt.ts'
import { type Answer, broken, ok, together, type VerifyContext } from './proof.ts'

const purgedUnreleased = `select p.subject_id as id from events p
  where p.tenant_id = $1 and p.type = 'blob.purged' and not exists (
    select from events r where r.tenant_id = p.tenant_id and r.subject_id = p.subject_id and r.type = 'blob.released') limit 1`

/** That all bytes that were ever deleted had been released, and what the gates held in the last runs. */
export async function provePurge(ctx: VerifyContext): Promise<Answer> {
  for (const tenant of ctx.tenants) {
    const [row] = await readAs<{ id: string }>(ctx.application, tenant.id, purgedUnreleased, [tenant.id])
    if (row) return broken(`the bytes of blob ${row.id} of ${tenant.slug} were deleted, and nobody had let go of them`)
  }
  return together(ok('the journal names who let go of all bytes that were deleted'), await readRuns(ctx))
}

/** Told, and no proof by themselves. */
async function readRuns({ services, tenants }: VerifyContext): Promise<Answer> {
  let [runs, deleted] = [0, 0]
  const held: Record<string, number> = {}
  for (const { id } of tenants) {
    const origin = { requestId: null, address: null, userAgent: null }
    const ctx = { ...services, principal: systemPrincipal(id), origin }
    const { edges } = await listCleanupRuns(ctx, { kind: 'DELETE_BLOBS', state: null }, { first: 1 })
    for (const { node } of edges) {
      runs += 1
      deleted += node.isDryRun ? 0 : node.deleted
      for (const [gate, count] of Object.entries(node.held)) held[gate] = (held[gate] ?? 0) + count
    }
  }
  if (runs === 0) return ok('nothing was ever due')
  const gates = Object.entries(held).map(([gate, count]) => `${gate} held ${count}`)
  return ok(`the last run of each of ${runs} tenants deleted ${deleted}${gates.map((told) => `, ${told}`).join('')}`)
}

import { systemPrincipal } from '../../domain/context.ts'
import { readLastRun } from '../../domain/sweeps/runs/readLastRun.ts'
import { type Answer, broken, ok, together, unproven, type VerifyContext, readAs, isRefused } from './proof.ts'

/**
 * Behaviours that the store should enforce itself. If it does not, the commit checks the stored object, so the promise
 * still holds.
 */
const bindings = [
  'content length is bound',
  'content type is bound',
  'expiry is honoured',
  'checksum is verified',
] as const

/** Checks that an upload URL accepts only the declared bytes. */
export async function proveDeclared({ bucket }: VerifyContext): Promise<Answer> {
  const findings = await bucket()
  const answers = bindings.map((binding): Answer => {
    const found = findings.find(({ behaviour }) => behaviour === binding)
    if (!found || found.ok === 'unknown') return unproven(found?.detail ?? `the bucket did not say whether ${binding}`)
    return ok(found.ok ? lowered(found.detail) : `${lowered(found.detail)}, so only the commit looks`)
  })
  return together(...answers)
}

/** Checks that an upload URL cannot overwrite its object, and that the rows about it cannot change. */
export async function proveUnchangeable(ctx: VerifyContext): Promise<Answer> {
  const found = (await ctx.bucket()).find(({ behaviour }) => behaviour === 'conditional upload')
  const rows = await proveVersionsFixed(ctx)
  if (!found || found.ok === 'unknown')
    return together(unproven(found?.detail ?? 'the bucket did not take an upload'), rows)
  return together(found.ok ? ok(lowered(found.detail)) : broken(lowered(found.detail)), rows)
}

const lowered = (text: string) => `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`

const purgedUnreleased = `select p.subject_id as id from events p
  where p.tenant_id = $1 and p.type = 'blob.purged' and not exists (
    select from events r where r.tenant_id = p.tenant_id and r.subject_id = p.subject_id and r.type = 'blob.released') limit 1`

/** Checks that every deleted blob had been released, and reports what the gates held in the last runs. */
export async function provePurge(ctx: VerifyContext): Promise<Answer> {
  for (const tenant of ctx.tenants) {
    const [row] = await readAs<{ id: string }>(ctx.application, tenant.id, purgedUnreleased, [tenant.id])
    if (row) return broken(`the bytes of blob ${row.id} of ${tenant.slug} were deleted without having been released`)
  }
  return together(ok('the journal contains a release for all bytes that were deleted'), await readRuns(ctx))
}

/** Reported for information; it proves nothing. */
async function readRuns({ backends, tenants }: VerifyContext): Promise<Answer> {
  let [runs, deleted] = [0, 0]
  const held: Record<string, number> = {}
  for (const { id } of tenants) {
    const origin = { requestId: null, address: null, userAgent: null }
    const ctx = { ...backends, principal: systemPrincipal(id), origin }
    const run = await readLastRun(ctx, 'DELETE_BLOBS')
    if (!run) continue
    runs += 1
    deleted += run.isDryRun ? 0 : run.deleted
    for (const [gate, count] of Object.entries(run.held)) held[gate] = (held[gate] ?? 0) + count
  }
  if (runs === 0) return ok('nothing was ever due')
  const gates = Object.entries(held).map(([gate, count]) => `${gate} held ${count}`)
  return ok(`the last run of each of ${runs} tenants deleted ${deleted}${gates.map((told) => `, ${told}`).join('')}`)
}

/** The triggers that make rows immutable for every role. */
const historyTriggers = [
  'audit_log_written_once',
  'audit_log_not_truncated',
  'events_written_once',
  'events_kept',
  'events_not_truncated',
] as const
const versionTriggers = ['file_versions_immutable', 'file_versions_not_truncated', 'blobs_identity_fixed'] as const

const rewrites = [
  'update audit_log set action = action where tenant_id = $1',
  'delete from audit_log where tenant_id = $1',
  'update events set type = type where tenant_id = $1',
  'delete from events where tenant_id = $1',
] as const

/** History is written once: the triggers stand, and the application is refused when it tries. */
export async function proveHistory(ctx: VerifyContext): Promise<Answer> {
  return together(await askTriggers(ctx, historyTriggers), await attemptAll(ctx, rewrites))
}

/** Neither versions nor what identifies their bytes change. */
async function proveVersionsFixed(ctx: VerifyContext): Promise<Answer> {
  const attempts = ['update file_versions set byte_size = 0 where tenant_id = $1']
  return together(await askTriggers(ctx, versionTriggers), await attemptAll(ctx, attempts))
}

async function askTriggers({ application }: VerifyContext, names: readonly string[]): Promise<Answer> {
  const rows = await application<{ name: string }[]>`
    select tgname as name from pg_trigger where tgname in ${application([...names])} and tgenabled in ('O', 'A')`
  const standing = new Set(rows.map(({ name }) => name))
  const absent = names.filter((name) => !standing.has(name))
  return absent.length === 0 ? ok(`${names.length} triggers stand`) : broken(`no trigger ${absent.join(', ')} stands`)
}

async function attemptAll({ application, tenants }: VerifyContext, statements: readonly string[]): Promise<Answer> {
  const [tenant] = tenants
  if (!tenant) return unproven('there is no tenant to try it in')
  for (const statement of statements) {
    const refused = await isRefused(application, tenant.id, statement, [tenant.id])
    if (!refused) return broken(`accepted, and taken back: ${statement.replace('$1', tenant.slug)}`)
  }
  return ok(`every attempt to rewrite it was refused (${statements.length})`)
}

import { isRefused } from './attempt.ts'
import { type Answer, broken, ok, together, unproven, type VerifyContext } from './proof.ts'

/** What keeps rows as they were written, whoever asks. */
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
export async function proveVersionsFixed(ctx: VerifyContext): Promise<Answer> {
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

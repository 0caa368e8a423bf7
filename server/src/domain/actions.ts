/** Every change that the audit log and the event journal record, with the type of its subject. */
export const changes = {
  'upload_intent.created': 'upload_intent',
  'upload_intent.cancelled': 'upload_intent',
  'upload_intent.refused': 'upload_intent',
  'upload_intent.expired': 'upload_intent',
  'file.uploaded': 'file',
  'file.version_added': 'file',
  'file.renamed': 'file',
  'file.soft_deleted': 'file',
  'file.restored': 'file',
  'file.purged': 'file',
  'file.held': 'file',
  'file.released': 'file',
  'file.retention_changed': 'file',
  'file.attached': 'file',
  'file.detached': 'file',
  'blob.purged': 'blob',
  'blob.quarantined': 'blob',
  'blob.cleared': 'blob',
  'orphan.deleted': 'bucket',
  'cleanup.requested': 'cleanup_run',
  'api_key.created': 'api_key',
  'api_key.revoked': 'api_key',
  'member.added': 'member',
  'member.role_changed': 'member',
  'member.removed': 'member',
  'member.password_set': 'member',
  'tenant.created': 'tenant',
  'tenant.updated': 'tenant',
} as const

/** Accesses that the audit log records although they change nothing. */
export const accesses = {
  'file.download_url_issued': 'file',
} as const

/** Recorded only in the journal. The purge deletes bytes only if the releasing transaction wrote this event. */
export const releases = {
  'blob.released': 'blob',
} as const

/** Every action that the audit log records in this version. */
export const auditActions: readonly string[] = [...Object.keys(changes), ...Object.keys(accesses)].toSorted()

/** Former names of actions. Entries are never rewritten, so old ones keep the former name. */
export const formerNames: Readonly<Record<string, string>> = { 'file.soft_deleted': 'file.deleted' }

/** All names of an action in entries, given its current or a former name. */
export function namesOfAction(action: string): readonly string[] {
  const renamed = Object.entries(formerNames).find((names) => names.includes(action))
  return renamed ?? [action]
}

export type ChangeAction = keyof typeof changes
export type AccessAction = keyof typeof accesses
export type JournalAction = ChangeAction | AccessAction | keyof typeof releases

/** Every change that the audit log and the event journal record, and the kind of its subject. */
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

/** What the audit log records although it changes nothing. */
export const accesses = {
  'file.download_url_issued': 'file',
} as const

/** Recorded in the journal only: the purge believes that bytes were released only if the releasing transaction says so. */
export const releases = {
  'blob.released': 'blob',
} as const

/** Every action that the audit log records today. */
export const auditActions: readonly string[] = [...Object.keys(changes), ...Object.keys(accesses)].toSorted()

/** Actions that had another name. Entries are never rewritten: those written before keep that name. */
export const formerNames: Readonly<Record<string, string>> = { 'file.soft_deleted': 'file.deleted' }

/** All names under which entries of an action were written, for its name of today as for a former one. */
export function namesOfAction(action: string): readonly string[] {
  const renamed = Object.entries(formerNames).find((names) => names.includes(action))
  return renamed ?? [action]
}

export type ChangeAction = keyof typeof changes
export type AccessAction = keyof typeof accesses
export type JournalAction = ChangeAction | AccessAction | keyof typeof releases

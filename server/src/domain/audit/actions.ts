/** Every change that the audit log and the event journal know, and the kind of thing that it happens to. */
export const changes = {
  'upload_intent.created': 'upload_intent',
  'upload_intent.cancelled': 'upload_intent',
  'upload_intent.refused': 'upload_intent',
  'upload_intent.expired': 'upload_intent',
  'file.uploaded': 'file',
  'file.version_added': 'file',
  'file.renamed': 'file',
  'file.deleted': 'file',
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

/** What is worth knowing afterwards although it changes nothing. */
export const accesses = {
  'file.download_url_issued': 'file',
} as const

export type ChangeAction = keyof typeof changes
export type AccessAction = keyof typeof accesses

import { appRole, functionsRole, hostRole, scheduleRole } from './roles.ts'

/** A privilege of one of our roles, or of everybody (`public`). Nobody else's privileges are declared or changed. */
export interface Privilege {
  readonly role: string
  readonly privilege: string
  readonly kind: 'schema' | 'table' | 'function'
  /** Without schema and arguments. Empty for the schema. */
  readonly object: string
  /** Of a table. Null: the whole table. */
  readonly column: string | null
}

/** Tables by what a role may do with them. Row-level security narrows this to the rows of one tenant. */
const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [appRole]: {
    select: '__drizzle_migrations attachments audit_log events',
    'select insert': 'installation_log tenant_slugs',
    'select insert delete': 'file_versions user_tenants',
    'select insert update':
      'api_keys cleanup_runs files installation principals sweep_schedule tenant_usage tenants uploads users',
    'select insert update delete':
      'blobs memberships orphan_objects sessions sign_in_attempts stray_prefixes stray_runs user_devices',
  },
  [functionsRole]: {
    select: 'files tenant_usage',
    insert: 'audit_log events',
    'select insert': 'principals',
    'select insert delete': 'attachments',
  },
}

interface ColumnPrivilege {
  readonly role: string
  readonly privilege: string
  readonly columns: Readonly<Record<string, string>>
}

const columns: readonly ColumnPrivilege[] = [
  { role: appRole, privilege: 'update', columns: { events: 'published_at', tenant_slugs: 'scheduled_at' } },
  {
    role: functionsRole,
    privilege: 'update',
    columns: {
      files: 'attachment_count soft_deleted_at soft_deleted_by updated_at',
      tenant_usage: 'file_count journal_seq reserved_bytes stored_bytes trashed_count version_count',
    },
  },
  {
    role: scheduleRole,
    privilege: 'select',
    columns: {
      blobs: 'tenant_id status sha256 deleting_since purge_not_before purge_claimed_until verified_at quarantined_at',
      cleanup_runs: 'tenant_id kind state requested_by heartbeat_at',
      sweep_schedule: 'tenant_id kind due_at not_before',
      uploads: 'tenant_id state expires_at',
    },
  },
]

/** The callers of each function besides its owner. No function may be called by everybody. */
const callers: Readonly<Record<string, readonly string[]>> = {
  attach_as: [appRole],
  attach_file: [hostRole],
  busy_tenants: [],
  change_from_host: [hostRole],
  current_tenant: [functionsRole],
  detach_as: [appRole],
  detach_file: [hostRole],
  due_blobs: [appRole],
  due_by_schedule: [appRole],
  due_runs: [appRole],
  due_uploads: [appRole],
  due_verifications: [appRole],
  enqueue_job: [appRole],
  file_id: [functionsRole],
  fold: [appRole, functionsRole],
  host_actor: [],
  new_id: [functionsRole],
  record_changes: [appRole],
  record_file_change: [functionsRole],
  refuse_change: [],
  replace_as: [appRole],
  replace_attachment: [hostRole],
  search_patterns: [appRole],
  set_tenant: [appRole, hostRole],
  set_tenant_for_key: [appRole],
}

/** The functions that run with the privileges of one of our roles. All others belong to the login that migrates. */
export const functionOwners: Readonly<Record<string, readonly string[]>> = {
  [functionsRole]: ['attach_as', 'change_from_host', 'detach_as', 'host_actor', 'record_changes', 'replace_as'],
  [scheduleRole]: ['busy_tenants', 'due_blobs', 'due_by_schedule', 'due_runs', 'due_uploads', 'due_verifications'],
}

/** The tables that `scheduleRole` reads across tenants. A policy is gone if its only role was missing at a restore. */
export const tablesReadAcrossTenants = ['blobs', 'cleanup_runs', 'sweep_schedule', 'uploads'] as const

const words = (text: string): string[] => text.split(' ')

/** Everything that our roles may do. */
export const declaredPrivileges: readonly Privilege[] = [
  ...[appRole, functionsRole, hostRole, scheduleRole].map((role): Privilege => ({
    role,
    privilege: 'usage',
    kind: 'schema',
    object: '',
    column: null,
  })),
  ...Object.entries(tables).flatMap(([role, byPrivileges]) =>
    Object.entries(byPrivileges).flatMap(([privileges, names]) =>
      words(privileges).flatMap((privilege) =>
        words(names).map((object): Privilege => ({ role, privilege, kind: 'table', object, column: null })),
      ),
    ),
  ),
  ...columns.flatMap(({ role, privilege, columns: byTable }) =>
    Object.entries(byTable).flatMap(([object, names]) =>
      words(names).map((column): Privilege => ({ role, privilege, kind: 'table', object, column })),
    ),
  ),
  ...Object.entries(callers).flatMap(([object, roles]) =>
    roles.map((role): Privilege => ({ role, privilege: 'execute', kind: 'function', object, column: null })),
  ),
]

/** Whether the declaration knows an object. It leaves others alone. */
export const isDeclared = ({ kind, object }: Pick<Privilege, 'kind' | 'object'>): boolean =>
  kind === 'function'
    ? object in callers
    : declaredPrivileges.some((each) => each.kind === kind && each.object === object)

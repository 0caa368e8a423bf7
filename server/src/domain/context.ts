import type { principalKinds, roles } from '../database/tables/identityTables.ts'
import { relationalReader, type RelationalReader } from '../database/relationalReader.ts'
import type { TenantDatabase, Transaction } from '../database/tenantDatabase.ts'
import type { BlobStore } from '../storage/blobStore.ts'

export type Role = (typeof roles)[number]
export type PrincipalKind = (typeof principalKinds)[number]

/** The caller, always within one tenant. */
export interface Principal {
  readonly tenantId: string
  /**
   * The id of the user or the API key. For a user of the host application, the id of their `principals` row in this
   * tenant.
   */
  readonly id: string
  readonly kind: PrincipalKind
  /** For EXTERNAL, the user id in the host application's token. Otherwise the id again. */
  readonly subject: string
  readonly name: string
  readonly email: string | null
  readonly role: Role
}

/** Where a request came from, for the audit log. Null if there was no request. */
interface Origin {
  readonly requestId: string | null
  readonly address: string | null
  readonly userAgent: string | null
}

/** The inputs of every verb. */
export interface Context {
  readonly principal: Principal
  readonly origin: Origin
  readonly database: TenantDatabase
  readonly blobs: BlobStore
  /** The application's clock. Tests can set it. */
  readonly now: () => Date
}

/** Reads in the caller's tenant. */
export const reading = <T>(ctx: Context, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  ctx.database.read(ctx.principal.tenantId, work)

/** Reads in the caller's tenant by one statement, which costs one round trip. */
export const readingOnce = <T>(ctx: Context, work: (tx: Transaction) => PromiseLike<T>): Promise<T> =>
  ctx.database.readOnce(ctx.principal.tenantId, work)

/** Reads in the caller's tenant by relational queries, one statement each. */
export const readingRelations = (ctx: Context): RelationalReader =>
  relationalReader(ctx.database, ctx.principal.tenantId)

/** Who requests the runs of the schedule, and those of the command line. */
export const systemId = '00000000-0000-7000-8000-000000000001'

/**
 * The principal of Filegraph itself in a tenant: jobs, the command line, the demo. The id is the same in all tenants,
 * and each tenant has its own row.
 */
export const systemPrincipal = (tenantId: string): Principal => ({
  tenantId,
  id: systemId,
  kind: 'SYSTEM',
  subject: systemId,
  name: 'Filegraph',
  email: null,
  role: 'OWNER',
})

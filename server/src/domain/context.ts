import { type principalKinds, principals, type roles } from '../database/tables/identityTables.ts'
import type { TenantDatabase, Transaction } from '../database/tenantDatabase.ts'
import type { BlobStore } from '../storage/blobStore.ts'
import { atOnce } from './atOnce.ts'

export type Role = (typeof roles)[number]
export type PrincipalKind = (typeof principalKinds)[number]

/** Who asks, always within one tenant. */
export interface Principal {
  readonly tenantId: string
  /** Of the user, the API key, or, for a host application's user, of the row that stands for them in this tenant. */
  readonly id: string
  readonly kind: PrincipalKind
  /** The user id in the host application's token for EXTERNAL; otherwise the id again. */
  readonly subject: string
  readonly name: string
  readonly email: string | null
  readonly role: Role
}

/** Where a request came from, for the audit log. Null where there was no request. */
interface Origin {
  readonly requestId: string | null
  readonly address: string | null
  readonly userAgent: string | null
}

/** What every verb works with. */
export interface Context {
  readonly principal: Principal
  readonly origin: Origin
  readonly database: TenantDatabase
  readonly blobs: BlobStore
  /** The application's clock, which tests turn. */
  readonly now: () => Date
}

type Actor = Pick<Context, 'principal' | 'database' | 'now'>

/**
 * Runs `work` in a transaction of the caller's tenant. `work` can run twice, if Postgres ends the first transaction to
 * resolve a deadlock: it must change nothing but rows, and must not ask the bucket.
 *
 * Locks are taken in one order by all writers, so that no two wait for each other: principals, files, uploads, blobs,
 * attachments, and the usage of the tenant last; rows of one table by id (decision 22).
 */
export const inTransaction = <T>(ctx: Actor, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  ctx.database.write(ctx.principal.tenantId, async (tx) => {
    const [, answer] = await atOnce(
      () => ensurePrincipal(tx, ctx),
      () => work(tx),
    )
    return answer
  })

/** Inserts the principal row of a host application's user, or of the system, when they first change something. */
async function ensurePrincipal(tx: Transaction, { principal, now }: Actor): Promise<void> {
  if (principal.kind === 'USER' || principal.kind === 'API_KEY') return
  const { id, kind, subject, name, email } = principal
  await tx.db
    .insert(principals)
    .values({ tenantId: tx.tenantId, id, kind, subject, name, email, createdAt: now() })
    .onConflictDoNothing()
}

/** Reads in the caller's tenant. */
export const reading = <T>(ctx: Context, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  ctx.database.read(ctx.principal.tenantId, work)

/** Reads in the caller's tenant by one statement, which costs one round trip. */
export const readingOnce = <T>(ctx: Context, work: (tx: Transaction) => PromiseLike<T>): Promise<T> =>
  ctx.database.readOnce(ctx.principal.tenantId, work)

const systemId = '00000000-0000-7000-8000-000000000001'

/** Filegraph itself in a tenant: jobs, the command line, the demo. The same id everywhere, a row of its own per tenant. */
export const systemPrincipal = (tenantId: string): Principal => ({
  tenantId,
  id: systemId,
  kind: 'SYSTEM',
  subject: systemId,
  name: 'Filegraph',
  email: null,
  role: 'OWNER',
})

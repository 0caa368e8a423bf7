import { type Promised, together, unproven } from './proof.ts'
import { proveBoundary, proveLog, proveSchema } from './proveBoundary.ts'
import { proveHistory, provePurge, proveDeclared, proveUnchangeable } from './proveBytes.ts'
import { proveDoubt } from './proveDoubt.ts'
import { proveUse } from './proveUse.ts'

export const tenants = "One tenant never sees another's rows"
export const schema = 'The schema keeps its rules'
export const declared = 'An upload is what it was declared to be, once'
export const unchangeable = 'Bytes that were proved cannot change'
export const pages = 'A page costs a fixed number of statements, a deep page what the first costs'
export const idle =
  'A sweep with nothing to do reads the same in a large tenant as in an empty one; every partial index is used'
export const locks = 'Writers never wait for each other in a circle'
export const history = 'One change, one audit entry, one event; history is written once'
export const inUse = 'A file in use is never deleted'
export const purge = 'Nothing but released, cooled bytes is purged'
export const doubt = 'A doubtful listing, another bucket or an older database deletes nothing'
export const databases = 'Two databases on one bucket delete nothing of each other'
export const acknowledged = 'What was acknowledged survives crashes'
export const whole = 'An object appears whole or not at all'
export const secrets = 'No secret in a log'

/** The verification page: each promise of ARCHITECTURE.md, and how the running system is asked whether it holds. */
export const promises: readonly Promised[] = [
  {
    promise: tenants,
    asks: 'set_tenant(<tenant>), then for each table: select from <table> where tenant_id <> <tenant>',
    prove: proveBoundary,
  },
  { promise: schema, asks: 'filegraph doctor; pg_constraint.convalidated, pg_index.indisvalid', prove: proveSchema },
  {
    promise: declared,
    asks: 'filegraph doctor; filegraph fsck',
    prove: async (ctx) => together(await ctx.integrity(declared), await proveDeclared(ctx)),
  },
  {
    promise: unchangeable,
    asks: 'filegraph doctor; update file_versions set byte_size = 0',
    prove: async (ctx) => together(await ctx.integrity(unchangeable), await proveUnchangeable(ctx)),
  },
  {
    promise: pages,
    asks: 'npx vitest run test/listing.test.ts',
    prove: () => Promise.resolve(unproven('one page does not show what another costs: the tests count')),
  },
  {
    promise: idle,
    asks: 'npm test -- partialIndexes',
    prove: () => Promise.resolve(unproven('plans depend on the sizes of tenants: the tests seed them')),
  },
  {
    promise: locks,
    asks: 'npm test -- lockOrder',
    prove: () => Promise.resolve(unproven('that needs many writers at once: the tests make them')),
  },
  {
    promise: history,
    asks: 'filegraph fsck; update audit_log, delete from audit_log, update events, delete from events',
    prove: async (ctx) => together(await ctx.integrity(history), await proveHistory(ctx)),
  },
  {
    promise: inUse,
    asks: 'filegraph fsck; update files set soft_deleted_at = now() where attachment_count > 0; delete from blobs',
    prove: async (ctx) => together(await ctx.integrity(inUse), await proveUse(ctx)),
  },
  {
    promise: purge,
    asks: "filegraph fsck; select from events where type = 'blob.purged' without 'blob.released'; cleanup_runs",
    prove: async (ctx) => together(await ctx.integrity(purge), await provePurge(ctx)),
  },
  { promise: doubt, asks: 'filegraph sweep reconcile --dry-run, on a bucket that lies', prove: proveDoubt },
  {
    promise: databases,
    asks: 'filegraph doctor; npm test -- twoDatabases',
    prove: () => Promise.resolve(unproven('that needs a second database: the tests make one')),
  },
  {
    promise: acknowledged,
    asks: 'filegraph fsck; npm run test:faults',
    prove: (ctx) => ctx.integrity(acknowledged),
  },
  {
    promise: whole,
    asks: 'npx vitest run src/embedded/bucket/durability.test.ts',
    prove: () => Promise.resolve(unproven('that needs a crash in the middle of a write: the tests make them')),
  },
  { promise: secrets, asks: 'grep -E "X-Amz-Signature=|fgk_|Bearer " <the log>', prove: proveLog },
]

import { type Promised, grep, psql, together, unproven, vitest } from './proof.ts'
import { proveBoundary, proveLog, proveSchema } from './proveBoundary.ts'
import { proveHistory, provePurge, proveDeclared, proveUnchangeable } from './proveBytes.ts'
import { proveDoubt, proveUse } from './proveDeletes.ts'

export const tenants = "One tenant never sees another's rows"
export const relations = 'No relation reaches a row of another tenant'
export const halves = 'A query is compiled or relational, and no hot type has a field with a selection'
export const schema = 'The schema keeps its rules'
export const declared = 'A committed upload matches its declaration and is committed once'
export const unchangeable = 'Verified bytes cannot change'
export const pages = 'A page costs a fixed number of statements, and a deep page costs the same as the first'
export const idle =
  'A sweep with nothing to do costs the same in a large tenant as in an empty one; every partial index is used'
export const due = 'A minute in which nothing is due costs the same with any number of tenants'
export const alive = 'A run that lives is never called dead, and one whose worker died is taken over'
export const locks = 'Writers never deadlock'
export const history = 'One change, one audit entry, one event; history is never rewritten'
export const inUse = 'A file in use is never deleted'
export const purge = 'Only released bytes are purged, after the grace period'
export const doubt = 'Nothing is deleted on a doubtful listing, in another bucket or with an older database'
export const databases = 'Two databases on one bucket delete nothing of each other'
export const acknowledged = 'Acknowledged changes survive crashes'
export const restarts = 'A rolling restart behind a proxy fails no request'
export const patient = 'A hung bucket holds no request, and no client makes the metrics grow'
export const backup = 'A backup of a running product restores every row and byte, and half a restore never looks whole'
export const whole = 'An object appears whole or not at all'
export const cheap = 'A refusal costs less than 5 ms of CPU, and memory does not grow with distinct operations'
export const variables = 'No value of a variable causes an internal error'
export const readme = 'Every code block and every limit of the README is tested'
export const secrets = 'No secret in a log'

const triggers = (...names: readonly string[]) =>
  psql(
    `select tgname, tgenabled from pg_trigger where tgname in (${names.map((name) => `'${name}'`).join(', ')}) order by 1`,
    names.map((name) => `${name}|O`).join('\n'),
  )

/** Each promise of ARCHITECTURE.md, how `verify` checks it, and how to check it by hand. */
export const promises: readonly Promised[] = [
  {
    promise: tenants,
    asks: 'set_tenant(<tenant>), then for each table: select from <table> where tenant_id <> <tenant>',
    byHand: [
      psql(
        "select bool_and(c.relrowsecurity and c.relforcerowsecurity) from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relkind = 'r' and a.attname = 'tenant_id' and c.relnamespace = 'filegraph'::regnamespace",
        't',
      ),
      vitest('test/isolation.test.ts', 'answers a foreign id and a missing one in the same bytes'),
    ],
    prove: proveBoundary,
  },
  {
    promise: relations,
    asks: 'npm test -- relations',
    byHand: [vitest('src/database/relations.test.ts', 'has the tenant on both sides')],
    prove: () => Promise.resolve(unproven('that is a promise about the sources: the tests read them')),
  },
  {
    promise: halves,
    asks: 'npm test -- relational',
    byHand: [vitest('test/relational.test.ts', 'compiles no document with a relational field')],
    prove: () => Promise.resolve(unproven('that is a promise about the sources: the tests read them')),
  },
  {
    promise: schema,
    asks: 'filegraph doctor; pg_constraint.convalidated, pg_index.indisvalid',
    byHand: [
      psql(
        "select conname from pg_constraint where not convalidated and connamespace = 'filegraph'::regnamespace order by 1",
        // NOT VALID on purpose: attachments from before the rule can still be removed.
        'attachments_owner_id\nattachments_owner_type\nattachments_slot',
      ),
      psql(
        "select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid where not i.indisvalid and c.relnamespace = 'filegraph'::regnamespace",
        '0',
      ),
    ],
    prove: proveSchema,
  },
  {
    promise: declared,
    asks: 'filegraph doctor; filegraph fsck',
    byHand: [
      vitest(
        'test/lifecycleOfUploads.test.ts',
        'is one version, one audit entry and one event for any number of concurrent commits',
      ),
      vitest(
        'test/lifecycleOfUploads.test.ts',
        'refuses a body of another size or content, and the bucket keeps none of it',
      ),
    ],
    prove: async (ctx) => together(await ctx.integrity(declared), await proveDeclared(ctx)),
  },
  {
    promise: unchangeable,
    asks: 'filegraph doctor; update file_versions set byte_size = 0',
    byHand: [triggers('blobs_identity_fixed', 'file_versions_immutable', 'file_versions_not_truncated')],
    prove: async (ctx) => together(await ctx.integrity(unchangeable), await proveUnchangeable(ctx)),
  },
  {
    promise: pages,
    asks: 'npx vitest run test/listing.test.ts',
    byHand: [vitest('test/listing.test.ts', 'costs the same statements for 100 rows as for one')],
    prove: () => Promise.resolve(unproven('one page does not show what another costs: the tests count')),
  },
  {
    promise: idle,
    asks: 'npm test -- partialIndexes',
    byHand: [vitest('test/partialIndexes.test.ts', 'lists the statements of every partial index')],
    prove: () => Promise.resolve(unproven('plans depend on the sizes of tenants: the tests seed them')),
  },
  {
    promise: due,
    asks: 'npm test -- dueTenants',
    byHand: [vitest('test/dueTenants.test.ts', 'sends the same statements with three tenants and with three hundred')],
    prove: () => Promise.resolve(unproven('that compares numbers of tenants: the tests seed them')),
  },
  {
    promise: alive,
    asks: 'npm test -- killedWorker',
    byHand: [
      vitest('test/faults/killedWorker.test.ts', 'lives while the bucket is silent, and goes to another worker'),
      psql(
        "select count(*) from cleanup_runs where state = 'RUNNING' and heartbeat_at < now() - interval '5 minutes'",
        '0',
      ),
    ],
    prove: () => Promise.resolve(unproven('that kills workers: the tests do it')),
  },
  {
    promise: locks,
    asks: 'npm test -- lockOrder',
    byHand: [vitest('test/faults/lockOrder.test.ts', 'never deadlock')],
    prove: () => Promise.resolve(unproven('that needs many writers at once: the tests make them')),
  },
  {
    promise: history,
    asks: 'filegraph fsck; update audit_log, delete from audit_log, update events, delete from events',
    byHand: [
      triggers(
        'audit_log_not_truncated',
        'audit_log_written_once',
        'events_kept',
        'events_not_truncated',
        'events_written_once',
      ),
      psql(
        'select count(*) from tenant_usage u where u.journal_seq <> (select count(*) from (select seq from events e where e.tenant_id = u.tenant_id union select seq from audit_log a where a.tenant_id = u.tenant_id) j)',
        '0',
      ),
    ],
    prove: async (ctx) => together(await ctx.integrity(history), await proveHistory(ctx)),
  },
  {
    promise: inUse,
    asks: 'filegraph fsck; update files set soft_deleted_at = now() where attachment_count > 0; delete from blobs',
    byHand: [
      psql(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'files_in_use_not_deleted'",
        'CHECK (((soft_deleted_at IS NULL) OR (attachment_count = 0)))',
      ),
      psql(
        "select count(*) from attachments a left join file_versions v on v.tenant_id = a.tenant_id and v.file_id = a.file_id left join blobs b on b.tenant_id = v.tenant_id and b.id = v.blob_id where b.status is distinct from 'ready'",
        '0',
      ),
    ],
    prove: async (ctx) => together(await ctx.integrity(inUse), await proveUse(ctx)),
  },
  {
    promise: purge,
    asks: "filegraph fsck; select from events where type = 'blob.purged' without 'blob.released'; cleanup_runs",
    byHand: [
      psql(
        "select count(*) from events p where p.type = 'blob.purged' and not exists (select from events r where r.tenant_id = p.tenant_id and r.subject_id = p.subject_id and r.type = 'blob.released')",
        '0',
      ),
    ],
    prove: async (ctx) => together(await ctx.integrity(purge), await provePurge(ctx)),
  },
  {
    promise: doubt,
    asks: 'filegraph sweep reconcile --dry-run, on a bucket that lies',
    byHand: [
      // The first two delete markers and vetoes below `filegraph/`. Only `deleteFromBucket` deletes objects of
      // tenants.
      grep('blobs.delete(', 'server/src/domain', [
        'server/src/domain/installation/acceptBucket.ts',
        'server/src/domain/installation/deleteFromBucket.ts',
        'server/src/domain/installation/marker.ts',
        'server/src/domain/installation/restoreHold.ts',
      ]),
      vitest('test/faults/restoreDrill.test.ts', 'deletes nothing, whatever is run'),
    ],
    prove: proveDoubt,
  },
  {
    promise: databases,
    asks: 'filegraph doctor; npm test -- twoDatabases',
    byHand: [vitest('test/faults/twoDatabases.test.ts', 'that runs beside production stops all deletes')],
    prove: () => Promise.resolve(unproven('that needs a second database: the tests make one')),
  },
  {
    promise: acknowledged,
    asks: 'filegraph fsck; npm run test:faults',
    byHand: [vitest('test/faults/crashPoints.test.ts', 'a process that is killed loses nothing acknowledged')],
    prove: (ctx) => ctx.integrity(acknowledged),
  },
  {
    promise: restarts,
    asks: 'npm test -- rollingRestart',
    byHand: [vitest('test/rollingRestart.test.ts', 'restarts two processes in turn under load, and no request fails')],
    prove: () => Promise.resolve(unproven('that needs two processes behind a proxy: the test starts them')),
  },
  {
    promise: patient,
    asks: 'npm test -- storeFaultsUpload monitoring',
    byHand: [
      vitest('test/faults/storeFaultsUpload.test.ts', 'a commit changes nothing and can be repeated'),
      vitest('test/monitoring.test.ts', 'do not grow with the names that clients invent'),
    ],
    prove: () => Promise.resolve(unproven('that needs a bucket that hangs: the tests make one')),
  },
  {
    promise: backup,
    asks: 'filegraph backup <folder> --verify; npm test -- backup',
    byHand: [
      vitest('src/cli/backup.test.ts', 'brings back every row and byte'),
      vitest('test/faults/backup.test.ts', 'is shown as unfinished after it was killed'),
    ],
    prove: () => Promise.resolve(unproven('that needs a restore into an empty installation: the tests make one')),
  },
  {
    promise: whole,
    asks: 'npx vitest run src/embedded/bucket/durability.test.ts',
    byHand: [vitest('src/embedded/bucket/durability.test.ts', 'keeps every acknowledged object')],
    prove: () => Promise.resolve(unproven('that needs a crash in the middle of a write: the tests make them')),
  },
  {
    promise: cheap,
    asks: 'npm test -- costs/refusals costs/memory',
    byHand: [
      vitest('test/costs/refusals.test.ts', 'a refusal takes less than 5 ms of CPU'),
      vitest('test/costs/memory.test.ts', 'memory does not grow with the number of distinct operations'),
    ],
    prove: () => Promise.resolve(unproven('that needs a process under attack: the tests make one')),
  },
  {
    promise: variables,
    asks: 'npm test -- test/variables',
    byHand: [vitest('test/variables.test.ts', 'directives accept any variable')],
    prove: () => Promise.resolve(unproven('that needs many hostile requests: the tests make them')),
  },
  {
    promise: readme,
    asks: 'npm test -- readmeExamples readmeLimits',
    byHand: [
      vitest('test/readmeExamples.test.ts', 'is run, or says why not'),
      vitest('test/readmeLimits.test.ts', 'are complete: no limit for callers is missing'),
    ],
    prove: () => Promise.resolve(unproven('that is a promise about the sources: the tests read them')),
  },
  {
    promise: secrets,
    asks: 'grep -E "X-Amz-Signature=|fgk_|Bearer " <the log>',
    byHand: [vitest('src/http/createLogger.test.ts', 'a log line')],
    prove: proveLog,
  },
]

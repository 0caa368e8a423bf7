import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { orphanObjects } from '../../src/database/tables/cleanupTables.ts'
import { systemPrincipal } from '../../src/domain/context.ts'
import { checkIntegrity } from '../../src/domain/fsck/checkIntegrity.ts'
import { newId } from '../../src/domain/ids.ts'
import { acceptBucket, readSides } from '../../src/domain/installation/acceptBucket.ts'
import { limits } from '../../src/domain/limits.ts'
import { orphanGates, orphanHeldBy } from '../../src/domain/sweeps/reconcile/orphanGates.ts'
import { recordStrayRun, type StrayOptions, usualStrayRun } from '../../src/domain/sweeps/strays/recordStrayRun.ts'
import { readStrays } from '../../src/domain/sweeps/strays/strayRecords.ts'
import { readStrayEvidence } from '../../src/domain/sweeps/strays/sweepStrays.ts'
import { walkStrays } from '../../src/domain/sweeps/strays/walkStrays.ts'
import type { BlobStore } from '../../src/storage/blobStore.ts'
import { type TestService, type TestTenant } from '../testService.ts'
import { type DatabaseCopy, listAll, type Parts } from './drill.ts'
import {
  cloneOf,
  type CopiedBy,
  expectLiveBytes,
  type LivingDatabase,
  productionOf,
  startProduction,
} from './livingDatabases.ts'
import { openSuperuser, plantHistory } from './plantFile.ts'

const hour = 3_600_000

let service: TestService
let tenant: TestTenant
let production: LivingDatabase
let copy: DatabaseCopy | undefined

beforeEach(async () => {
  ;({ service, tenant, production } = await startProduction())
})

afterEach(async () => {
  await copy?.close()
  copy = undefined
  await service.close()
})

const put = (key: string) => service.blobs.write(key, Buffer.from('hello'), { contentType: 'text/plain' })
const isThere = async (key: string) => (await service.blobs.head(key)) !== null
const own = () => ({ database: service.database, blobs: service.blobs, now: service.now })

const search = (asked: Partial<StrayOptions> = {}, parts: Parts = own()) =>
  recordStrayRun({ ...parts, settings: service.cleanup, actor: 'a test' }, { ...usualStrayRun, ...asked })

/** Objects that a Filegraph made for a tenant that this database does not have. */
async function putStrays(count: number, id = newId(new Date())) {
  const keys = Array.from({ length: count }, () => `org/${id}/files/${newId(new Date())}.txt`).toSorted()
  for (const key of keys) await put(key)
  return { id, prefix: `org/${id}/`, keys }
}

const query = async (text: string, parts: Parts = own()) => parts.database.lookUp((db) => db.execute(text))

const watchedOf = (id: string, parts: Parts = own()) =>
  parts.database.read(id, (tx) => tx.db.select().from(orphanObjects).where(tx.inTenant(orphanObjects)))

describe('objects under the prefix of an unknown tenant', () => {
  it('are watched and reported, and stay forever, with any grace period', async () => {
    await production.upload()
    const stray = await putStrays(2)
    const before = await listAll(service.blobs)
    for (let round = 0; round < 3; round += 1) {
      const { tally, ended, strays } = await search()
      expect({ tally, ended }).toMatchObject({
        ended: null,
        tally: { examined: 2, deleted: 0, found: { stray: 2 }, held: { FOREIGN: 2 } },
      })
      expect(strays).toEqual([
        { prefix: stray.prefix, tenant: stray.id, exampleKey: stray.keys[0], objectCount: 2, byteSize: 10 },
      ])
    }
    expect(await listAll(service.blobs)).toEqual(before)
    expect((await watchedOf(stray.id)).map(({ objectKey }) => objectKey)).toEqual(stray.keys)
    expect(await readStrays(service.database)).toMatchObject({
      ofTenants: { prefixes: 1, objectCount: 2, byteSize: 10 },
      others: null,
      oldest: { prefix: stray.prefix },
      lastRunAt: expect.any(Date),
    })
  })

  it('are reported by a dry run, which records only itself', async () => {
    const stray = await putStrays(1)
    expect((await search({ isDryRun: true, includesForeign: true })).strays).toMatchObject([{ prefix: stray.prefix }])
    expect(await watchedOf(stray.id)).toEqual([])
    expect(await query('select * from stray_prefixes')).toEqual([])
    expect(await query('select state, is_dry_run from stray_runs')).toEqual([{ state: 'DONE', is_dry_run: true }])
  })

  it('are deleted when an operator asks, after the grace period by both clocks and their own age, and the delete is logged', async () => {
    service.cleanup.orphanGraceMs = hour
    const stray = await putStrays(2)
    const asked = { includesForeign: true }
    expect((await search(asked)).tally).toMatchObject({ deleted: 0, held: { GRACE: 2 } })
    // The application's clock alone.
    const ahead = { ...own(), now: () => new Date(Date.now() + 2 * hour) }
    expect((await search(asked, ahead)).tally).toMatchObject({ deleted: 0, held: { GRACE: 2 } })
    const sql = openSuperuser(service)
    await sql`update orphan_objects set first_seen_at = first_seen_at - interval '2 hours'`
    await sql.end()
    // The objects are young by the clock of the store.
    expect((await search(asked)).tally).toMatchObject({ deleted: 0, held: { OBJECT: 2 } })
    service.cleanup.orphanGraceMs = 0
    expect((await search({ ...asked, isDryRun: true })).tally).toMatchObject({ deleted: 2 })
    expect(await isThere(stray.keys[0] ?? '')).toBe(true)
    expect((await search(asked)).tally).toMatchObject({ deleted: 2, deletedBytes: 10 })
    for (const key of stray.keys) expect(await isThere(key)).toBe(false)
    expect(await watchedOf(stray.id)).toEqual([])
    const log = await query(`select actor, payload from installation_log where action = 'STRAYS_DELETED'`)
    expect(log).toMatchObject([{ actor: 'a test', payload: { tenant: stray.id, includesForeign: true } }])
    await search()
    expect(await query('select * from stray_prefixes')).toEqual([])
    // Nothing was written in the name of a tenant that is not ours.
    const journal = openSuperuser(service)
    for (const table of ['audit_log', 'events', 'principals', 'cleanup_runs']) {
      expect(await journal`select 1 from ${journal(table)} where tenant_id = ${stray.id}`).toHaveLength(0)
    }
    await journal.end()
  })

  it('can be deleted for one tenant', async () => {
    const [one, other] = [await putStrays(1), await putStrays(1)]
    const { tally, strays } = await search({ includesForeign: true, tenant: one.id })
    expect({ deleted: tally.deleted, strays }).toMatchObject({ deleted: 1, strays: [{ tenant: one.id }] })
    expect([await isThere(one.keys[0] ?? ''), await isThere(other.keys[0] ?? '')]).toEqual([false, true])
    expect((await search({ includesForeign: true, tenant: tenant.id })).tally).toMatchObject({
      examined: 0,
      deleted: 0,
    })
  })

  it('stop a run above the brake, which counts all prefixes', async () => {
    service.cleanup.brakeObjects = 3
    const strays = [await putStrays(2), await putStrays(2)]
    const stopped = await search({ includesForeign: true })
    expect(stopped).toMatchObject({ ended: expect.stringMatching(/^More than 3 objects/), tally: { deleted: 0 } })
    expect(await query(`select state from stray_runs where message is not null`)).toEqual([{ state: 'STOPPED' }])
    for (const { keys } of strays) for (const key of keys) expect(await isThere(key)).toBe(true)
    expect((await search({ includesForeign: true, exceedsBrake: true })).tally).toMatchObject({ deleted: 4 })
  })

  it('are deleted without an operator only if this database has the whole history of each', async () => {
    const stray = await putStrays(2)
    const sql = openSuperuser(service)
    await plantHistory(sql, stray.id, [(stray.keys[0] ?? '').slice(-40, -4)])
    await sql.end()
    expect((await search()).tally).toMatchObject({ deleted: 1, held: { FOREIGN: 1 } })
    expect([await isThere(stray.keys[0] ?? ''), await isThere(stray.keys[1] ?? '')]).toEqual([false, true])
  })

  it('stay if the listing is out of order', async () => {
    const stray = await putStrays(2)
    const blobs: BlobStore = {
      ...service.blobs,
      list: async (options) => {
        const page = await service.blobs.list(options)
        return options.prefix.startsWith('filegraph/') ? page : { ...page, objects: page.objects.toReversed() }
      },
    }
    const { ended } = await search({ includesForeign: true }, { ...own(), blobs })
    expect(ended).toMatch(/not in order/)
    for (const key of stray.keys) expect(await isThere(key)).toBe(true)
  })
})

describe('objects whose keys are not those of Filegraph', () => {
  it('are reported, and stay even if an operator asks for deletes', async () => {
    const stray = await putStrays(1)
    const foreign = [
      'backups/1',
      'backups/2',
      'orgs/x',
      'org',
      'org/x',
      'org/no-id/a',
      `${stray.prefix}invoices/1.pdf`,
      'zebra',
    ]
    for (const key of foreign) await put(key)
    const { tally, strays } = await search({ includesForeign: true })
    expect(tally).toMatchObject({ deleted: 1, found: { stray: 1, unnamed: 1, other: 6 } })
    expect(strays.map(({ prefix }) => prefix)).toEqual(
      ['backups/', 'org', 'org/no-id/', stray.prefix, 'org/x', 'orgs/', 'zebra'].toSorted((a, b) => (a < b ? -1 : 1)),
    )
    for (const key of foreign) expect([key, await isThere(key)]).toEqual([key, true])
  })

  it('are remarks of fsck, and those of unknown tenants violations', async () => {
    const stray = await putStrays(1)
    await put('backups/1')
    await search()
    const found = []
    for await (const finding of checkIntegrity({ ...own(), cleanup: service.cleanup })) found.push(finding)
    expect(found).toMatchObject([
      {
        severity: 'INFORMATION',
        invariant: 'ORPHAN',
        message: expect.stringContaining('"backups/" is not of Filegraph'),
      },
      {
        severity: 'VIOLATION',
        invariant: 'ORPHAN',
        message: expect.stringMatching(`Under "${stray.prefix}" .*, since 20`),
      },
    ])
  })
})

describe('the walk over the bucket', () => {
  const pagesOf = (maxKeys: number, asked: { count: number }): BlobStore => ({
    ...service.blobs,
    list: (options) => ((asked.count += 1), service.blobs.list({ ...options, maxKeys })),
  })

  it.each([1, 2, 3, 100])('finds each prefix once with %i keys a page, from any start', async (maxKeys) => {
    for (let count = 0; count < 3; count += 1) await production.upload()
    const strays = [await putStrays(3), await putStrays(1)]
    for (const key of ['a/1', 'a/2', 'b', 'z/1', 'filegraph-doctor/x']) await put(key)
    const expected = ['a/', 'b', ...strays.map(({ prefix }) => prefix).toSorted(), 'z/']
    const asked = { count: 0 }
    const ctx = { ...own(), settings: service.cleanup, blobs: pagesOf(maxKeys, asked) }
    const all = []
    const walk = { position: null as string | null, mostListings: 1 }
    do {
      for await (const { prefix } of walkStrays(ctx, walk)) all.push(prefix)
    } while (walk.position !== null)
    expect(all).toEqual(expected)
    // A request a prefix at most: ours, those of the tenant, and the strays.
    expect(asked.count).toBeLessThanOrEqual(expected.length + 4)
  })

  it('continues where the last run reached its limit, and forgets nothing before the end', async () => {
    const bound = limits.otherPrefixesPerRun
    try {
      Object.assign(limits, { otherPrefixesPerRun: 1 })
      for (const key of ['a/1', 'b/1', 'c/1']) await put(key)
      expect((await search()).strays.map(({ prefix }) => prefix)).toEqual(['a/'])
      expect((await search({ isDryRun: true })).strays.map(({ prefix }) => prefix)).toEqual(['a/'])
      expect((await search()).strays.map(({ prefix }) => prefix)).toEqual(['b/'])
      expect((await search()).strays.map(({ prefix }) => prefix)).toEqual(['c/'])
      expect(await query('select prefix from stray_prefixes order by 1')).toHaveLength(3)
    } finally {
      Object.assign(limits, { otherPrefixesPerRun: bound })
    }
  })
})

describe.each(['DUMP', 'DISK'] as const)('a database that was copied by %s before a tenant was created', (by) => {
  let clone: LivingDatabase
  let young: TestTenant

  /** The clone has won the marker; production then created a tenant and uploaded for it. */
  async function copyBefore(how: CopiedBy): Promise<LivingDatabase> {
    ;({ clone, copy } = await cloneOf(service, tenant, how))
    await clone.look()
    young = await service.createTenant()
    const later = productionOf(service, young)
    await later.upload()
    return later
  }

  it('deletes nothing of that tenant, with graces of zero and even if an operator asks', async () => {
    const later = await copyBefore(by)
    for (const parts of [clone.parts, production.parts, clone.parts]) {
      for (const includesForeign of [false, true]) {
        expect((await search({ includesForeign, exceedsBrake: true }, parts)).tally.deleted).toBe(0)
      }
    }
    await production.look()
    const { ended } = await search({ includesForeign: true, exceedsBrake: true }, clone.parts)
    expect(ended).toMatch(/objected to all deletes|restored or copied/)
    await expectLiveBytes([later])
  })

  it('deletes nothing of it after a person has accepted the wrong one', async () => {
    const later = await copyBefore(by)
    await production.look()
    await acceptBucket(clone.parts)
    for (let round = 0; round < 3; round += 1) {
      const { tally, ended } = await search({}, clone.parts)
      expect({ tally, ended }).toMatchObject({ ended: null, tally: { deleted: 0, held: { FOREIGN: 1 } } })
    }
    expect(await readStrays(clone.parts.database)).toMatchObject({
      ofTenants: { prefixes: 1 },
      oldest: { tenant: young.id },
    })
    await expectLiveBytes([later])
  })

  it.each([
    ['BUCKET', 0],
    ['FOREIGN', 0],
    ['WATCH', 24 * hour],
    ['OBJECT', 24 * hour],
  ] as const)('%s alone keeps it, with all other gates removed and a grace of %i ms', async (gate, graceMs) => {
    await copyBefore(by)
    const { evidence, rule } = await evidenceOf(clone)
    const alone = { [gate]: orphanGates[gate] }
    expect(orphanHeldBy(evidence, { ...rule, graceMs }, alone)).toBe(gate)
  })

  it.each(Object.keys(orphanGates))('is held by the others without %s', async (gate) => {
    await copyBefore(by)
    const { evidence, rule } = await evidenceOf(clone)
    const others = Object.fromEntries(Object.entries(orphanGates).filter(([name]) => name !== gate))
    expect(orphanHeldBy(evidence, { ...rule, graceMs: 0 }, others)).not.toBeNull()
  })

  it('ROWS keeps the objects of a tenant that this database has by now', async () => {
    await copyBefore(by)
    const alone = { ROWS: orphanGates.ROWS }
    const { evidence, rule } = await evidenceOf(clone)
    expect(orphanHeldBy(evidence, { ...rule, graceMs: 0 }, alone)).toBeNull()
    const slug = `insert into tenant_slugs (slug, tenant) values ('came-back', '${young.id}')`
    await query(slug, clone.parts)
    const [again] = await readStrayEvidence(sweptBy(clone), await watchedOf(young.id, clone.parts))
    expect(orphanHeldBy(again as never, { ...rule, graceMs: 0 }, alone)).toBe('ROWS')
  })

  const sweptBy = ({ parts }: LivingDatabase) => ({
    ...service.contextOf(systemPrincipal(young.id)),
    ...parts,
    settings: service.cleanup,
  })

  /** What the clone knows of the object, once production has objected. */
  async function evidenceOf(one: LivingDatabase) {
    if (by === 'DUMP') await acceptBucket(one.parts)
    await search({}, one.parts)
    const watched = await watchedOf(young.id, one.parts)
    expect(watched).toHaveLength(1)
    await production.look()
    const [evidence] = await readStrayEvidence(sweptBy(one), watched)
    if (!evidence) throw new Error('There is no evidence')
    const { installationId } = (await readSides(one.parts)).self
    return { evidence, rule: { installationId, runId: evidence.seenByRun, includesForeign: false } }
  }
})

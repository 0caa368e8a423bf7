import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Context, systemPrincipal } from '../../src/domain/context.ts'
import { attachFile, detachFile } from '../../src/domain/files/attachments/attachments.ts'
import { deleteFile } from '../../src/domain/files/changeFile.ts'
import { isServiceUnavailable } from '../../src/domain/serviceUnavailable.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import type { CleanupKind, Outcome } from '../../src/domain/sweeps/runs/recordRun.ts'
import { cancelUpload } from '../../src/domain/uploads/intents/releaseUpload.ts'
import { startTestService, type TestService } from '../testService.ts'
import { clockSearchPath, type Clock, type Clocks, dayMs, hourMs, takeClocks } from './clocks.ts'
import { openSuperuser, plantHistory } from './plantFile.ts'
import { addFile, owner, sendVersion, stage } from './scene.ts'

let service: TestService
let sql: postgres.Sql
let clocks: Clocks

beforeAll(async () => {
  service = await startTestService({ searchPath: clockSearchPath })
  sql = openSuperuser(service, 2)
  clocks = await takeClocks(service, sql)
  Object.assign(service.cleanup, { purgeGraceMs: 3 * dayMs, orphanGraceMs: 3 * dayMs })
})

afterEach(() => clocks.correct())

afterAll(async () => {
  await sql.end()
  await service.close()
})

/** Something that begins, lasts for a time, and then is ended by a sweep. */
interface Span {
  readonly what: string
  readonly lastsMs: number
  readonly sweep: CleanupKind
  /** What has to be there before the time begins; then what begins it. */
  prepare(ctx: Context): Promise<string>
  begin(ctx: Context, id: string): Promise<unknown>
}

const strayId = randomUUID()
const stray = (ctx: Context) => `org/${ctx.principal.tenantId}/files/${strayId}.txt`

const spans: readonly Span[] = [
  {
    what: 'a deleted file is purged',
    lastsMs: 30 * dayMs,
    sweep: 'PURGE_FILES',
    prepare: (ctx) => addFile(ctx, 'some bytes'),
    begin: deleteFile,
  },
  {
    what: 'a file whose last attachment went is purged',
    lastsMs: 30 * dayMs,
    sweep: 'PURGE_FILES',
    prepare: async (ctx) => {
      const id = await addFile(ctx, 'some bytes', 'WHILE_ATTACHED')
      await attachFile(ctx, id, owner)
      return id
    },
    begin: (ctx, id) => detachFile(ctx, id, owner),
  },
  {
    what: 'released bytes are deleted',
    lastsMs: 3 * dayMs,
    sweep: 'DELETE_BLOBS',
    prepare: async (ctx) => {
      const id = await addFile(ctx, 'some bytes')
      await deleteFile(ctx, id)
      return id
    },
    begin: purgeFile,
  },
  {
    what: 'the bytes of a cancelled upload are deleted',
    lastsMs: 3 * dayMs,
    sweep: 'DELETE_BLOBS',
    prepare: (ctx) => sendVersion(ctx, 'some bytes', null),
    begin: cancelUpload,
  },
  {
    what: 'an object that no row knows is deleted',
    lastsMs: 3 * dayMs,
    sweep: 'RECONCILE',
    prepare: async (ctx) => {
      await ctx.blobs.write(stray(ctx), new TextEncoder().encode('a stray'), { contentType: 'text/plain' })
      await plantHistory(sql, ctx.principal.tenantId, [strayId])
      return stray(ctx)
    },
    begin: (ctx) => service.sweep(ctx.principal.tenantId, 'RECONCILE'),
  },
]

const wrong = (['application', 'database', 'store'] as const).flatMap((clock) =>
  ([dayMs, -dayMs] as const).map((ms) => [clock, ms] as const),
)

/** Of the two moments that count, those at which the clock was wrong. */
const moments = ['when it begins', 'when it ends', 'all the time'] as const
const isLong = process.env['FAULTS'] === 'long'

/** A store whose clock is wrong answers no signed request: what needs it cannot begin. */
const canBegin = (clock: Clock, when: (typeof moments)[number], { sweep }: Span) =>
  clock !== 'store' || when === 'when it ends' || sweep !== 'RECONCILE'

async function newTenant(): Promise<Context> {
  const { tenant } = await stage(service, sql, 'LIVE', { awaitsVersion: false })
  return service.contextOf(systemPrincipal(tenant.id))
}

/** How many a sweep ended. One that gets no answer from the bucket, whose clock is far off, ends nothing. */
async function countEnded(ctx: Context, kind: CleanupKind): Promise<number> {
  try {
    const { tally }: Outcome = await service.sweep(ctx.principal.tenantId, kind)
    return tally.deleted
  } catch (error) {
    if (!isServiceUnavailable(error)) throw error
    return 0
  }
}

async function live({ prepare, begin, lastsMs }: Span, clock: Clock, ms: number, when: (typeof moments)[number]) {
  const ctx = await newTenant()
  const id = await prepare(ctx)
  if (when !== 'when it ends') await clocks.move(clock, ms)
  await begin(ctx, id)
  if (when === 'when it begins') await clocks.correct()
  await clocks.pass(lastsMs - hourMs)
  if (when === 'when it ends') await clocks.move(clock, ms)
  return ctx
}

describe.each(wrong)('with the clock of the %s wrong by %i ms', (clock, ms) => {
  const titled = spans.flatMap((span) =>
    moments
      .filter((when) => canBegin(clock, when, span) && (isLong || when !== 'all the time'))
      .map((when) => [span.what, when, span] as const),
  )

  it.each(titled)('%s not an hour early, %s, and finally at its time', async (_what, when, span) => {
    const ctx = await live(span, clock, ms, when)
    expect(await countEnded(ctx, span.sweep)).toBe(0)
    await clocks.correct()
    expect(await countEnded(ctx, span.sweep)).toBe(0)
    // What was held for an hour is looked at again; no clock was wrong by more than a day.
    await clocks.pass(hourMs + dayMs)
    expect(await countEnded(ctx, span.sweep)).toBe(1)
  })
})

describe('with all clocks right', () => {
  it.each(spans.map((span) => [span.what, span] as const))('%s at its time', async (_what, span) => {
    const ctx = await live(span, 'application', 0, 'all the time')
    expect(await countEnded(ctx, span.sweep)).toBe(0)
    await clocks.pass(hourMs)
    expect(await countEnded(ctx, span.sweep)).toBe(1)
  })
})

describe('an upload intent', () => {
  it.each(wrong)('does not expire early when the clock of the %s is wrong by %i ms', async (clock, ms) => {
    const ctx = await newTenant()
    await sql`update tenants set intent_lifetime_seconds = ${(3 * dayMs) / 1_000} where id = ${ctx.principal.tenantId}`
    const id = await sendVersion(ctx, 'some bytes', null)
    await clocks.pass(3 * dayMs - hourMs)
    await clocks.move(clock, ms)
    expect(await countEnded(ctx, 'EXPIRE_UPLOADS')).toBe(0)
    await clocks.correct()
    const [row] = await sql`select state from uploads where id = ${id}`
    expect(row).toEqual({ state: 'PENDING' })
    await clocks.pass(hourMs)
    expect(await countEnded(ctx, 'EXPIRE_UPLOADS')).toBe(1)
  })
})

describe('the clock of the database in these tests', () => {
  it('is moved for every statement of the application', async () => {
    const ctx = await newTenant()
    await clocks.move('database', -dayMs)
    const id = await addFile(ctx, 'some bytes')
    await attachFile(ctx, id, owner)
    const [read] = await ctx.database.lookUp((db) => db.execute('select clock_timestamp() as now'))
    await clocks.correct()
    const behindMs = ctx.now().getTime() - new Date(String((read as { now: unknown }).now)).getTime()
    expect(Math.abs(behindMs - dayMs)).toBeLessThan(60_000)
  })
})

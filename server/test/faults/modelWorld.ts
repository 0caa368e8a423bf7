import postgres from 'postgres'
import type { Context } from '../../src/domain/context.ts'
import type { Upload } from '../../src/domain/uploads/intents/findUploads.ts'
import { BlobStoreUnavailable } from '../../src/storage/blobStore.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import { emptyState, type State } from './model.ts'
import type { Chance } from './modelRandom.ts'
import { withDatabaseSteps, withStoreSteps } from './worldSteps.ts'

/** A part of the program died here. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

export type Mishap = 'none' | 'crash' | 'store' | 'cut' | 'proxy' | 'away'

export interface TenantWorld {
  readonly tenant: TestTenant
  state: State
  /** Made by the client for each intent, in order. */
  nextKey: number
  readonly uploads: Map<string, Upload>
  readonly fileIds: Map<string, string>
  /** Purged files that the state has forgotten, and the bytes that have to be gone. */
  readonly gone: string[]
  /** Some of the last things that happened, to understand a failure. */
  readonly story: string[]
}

export interface World {
  readonly service: TestService
  readonly sql: postgres.Sql
  readonly chance: Chance
  readonly tenants: readonly TenantWorld[]
  readonly isBehindProxy: boolean
  mishap: Mishap
  /** Of the application's clock, against all the others. */
  clockHours: number
  readonly count: { commands: number; unknown: number; refused: number; checks: number }
}

/** The hours that an upload intent lives in these tenants. */
export const intentHours = 12

export async function openWorld(chance: Chance, isBehindProxy: boolean): Promise<World> {
  const service = await startTestService({ behindProxy: isBehindProxy })
  Object.assign(service.cleanup, { purgeGraceMs: 0, orphanGraceMs: 0, listedPerSecond: 10_000_000 })
  const sql = postgres(service.testDatabase.superuserUrl, { max: 2, onnotice: () => undefined, fetch_types: false })
  const policy = { intentLifetimeSeconds: intentHours * 3_600 }
  const tenants = await Promise.all([service.createTenant(policy), service.createTenant(policy)])
  return {
    service,
    sql,
    chance,
    isBehindProxy,
    mishap: 'none',
    clockHours: 0,
    count: { commands: 0, unknown: 0, refused: 0, checks: 0 },
    tenants: tenants.map((tenant) => ({
      tenant,
      state: emptyState,
      nextKey: 1,
      uploads: new Map(),
      fileIds: new Map(),
      gone: [],
      story: [],
    })),
  }
}

export async function closeWorld({ service, sql }: World): Promise<void> {
  await sql.end()
  await service.close()
}

export function turnClock(world: World, hours: number): void {
  world.clockHours = hours
  for (const one of world.tenants) {
    const intents = [...one.state.intents].map(
      ([key, intent]) => [key, { ...intent, isExpired: intent.dueHours <= hours }] as const,
    )
    one.state = { ...one.state, intents: new Map(intents) }
  }
}

/** What a client works with; the mishap of the moment befalls its steps. */
export function contextIn(world: World, who: TestTenant['member']): Context {
  const offsetMs = world.clockHours * 3_600_000
  const ctx = { ...world.service.contextOf(who), now: () => new Date(Date.now() + offsetMs) }
  if (world.mishap !== 'crash' && world.mishap !== 'store') return ctx
  const crash = () => {
    if (world.chance.is(0.2)) throw world.mishap === 'crash' ? new Crash() : new BlobStoreUnavailable('As told')
  }
  const blobs = withStoreSteps(ctx.blobs, crash)
  return world.mishap === 'crash'
    ? { ...ctx, blobs, database: withDatabaseSteps(ctx.database, crash) }
    : { ...ctx, blobs }
}

/** As text, so that every key has bytes of its own. */
export const contentOf = (key: string): string => `bytes of ${key} ${'.'.repeat(Number(key.slice(1)) % 40)}`

/** Of the same size, and certainly a program. */
export const wrongContentOf = (key: string): Buffer => {
  const wrong = Buffer.alloc(contentOf(key).length, 7)
  wrong.set(Buffer.from('\x7fELF', 'latin1'))
  return wrong
}

import { and, eq, sql } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { cleanupRuns, type cleanupKinds, type cleanupStates } from '../../../database/tables/cleanupTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { writeInternal } from '../../change.ts'
import { type Context, systemId } from '../../context.ts'
import { newId } from '../../ids.ts'
import { isServiceUnavailable } from '../../serviceUnavailable.ts'
import { type Fenced, fenced, RunTakenOver } from './fence.ts'
import { isHeldBy, keepAlive } from './heartbeat.ts'
import { RunTally } from './runTally.ts'
import type { CleanupSettings } from './settings.ts'

export type CleanupKind = (typeof cleanupKinds)[number]
export type CleanupState = (typeof cleanupStates)[number]

/** What a sweep works with. */
export interface SweepContext extends Context, Fenced {
  readonly settings: CleanupSettings
  /** How long a reconcile lists before it gives its lane to other tenants. Undefined: until it ends. */
  readonly turnMs?: number
  /** True once the worker has to stop: a reconcile then ends its turn. */
  readonly isStopping?: () => boolean
}

/** How a run is to be made. */
export interface RunOptions {
  readonly isDryRun: boolean
  /** Only what was deleted or released before this time; null is the usual cut-off. */
  readonly before: Date | null
  readonly exceedsBrake: boolean
  /** Whether a reconcile may delete objects that no upload intent of this database made. An operator alone may say so. */
  readonly includesForeign: boolean
}

export const usualRun: RunOptions = { isDryRun: false, before: null, exceedsBrake: false, includesForeign: false }

/** The run under way: its id, its options, and the tally to fill. */
export interface Run extends RunOptions {
  readonly id: string
  /** A new id each time that a worker starts or continues the run. */
  readonly claim: string
  readonly tally: RunTally
  /** Somebody asked for it: then it looks at everything, also at what was to be left alone for a while. */
  readonly isRequested: boolean
}

/** A run ended without deleting what it might have: by the brake, or because something could not be believed. */
export class RunEnded extends Error {
  override readonly name = 'RunEnded'
  readonly state: 'STOPPED' | 'REFUSED'
  constructor(state: 'STOPPED' | 'REFUSED', message: string) {
    super(message)
    this.state = state
  }
}

/** The turn of the run is over. It continues later at its noted position. */
export class TurnOver extends Error {
  override readonly name = 'TurnOver'
}

/** What a run did. */
export interface Outcome {
  readonly tally: RunTally
  /** Why the run was stopped or refused. Null if it finished. */
  readonly ended: string | null
  /** Its turn is over, and it continues later. */
  readonly isUnfinished: boolean
}

export type RunWork = (ctx: SweepContext, run: Run) => Promise<void>

/** Makes a run of its own and records it from beginning to end. */
export async function recordRun(
  ctx: SweepContext,
  kind: CleanupKind,
  options: RunOptions,
  sweep: RunWork,
): Promise<Outcome> {
  const [id, claim] = [newId(ctx.now()), newId(ctx.now())]
  await writeInternal(ctx, (tx) => insertRun(tx, ctx, { id, kind, state: 'RUNNING', claim, ...options }))
  return finishRun(ctx, { id, claim, ...options, isRequested: false, tally: new RunTally() }, sweep)
}

/** Starts or continues a queued run at its noted position. Null if another worker has it or it has ended. */
export async function continueRun(ctx: SweepContext, id: string, sweep: RunWork): Promise<Outcome | null> {
  const claim = newId(ctx.now())
  const [begun] = await writeInternal(ctx, (tx) =>
    tx.db
      .update(cleanupRuns)
      .set({
        state: 'RUNNING',
        claim,
        startedAt: sql`coalesce(${cleanupRuns.startedAt}, ${ctx.now().toISOString()}::timestamptz)`,
        heartbeatAt: sql`now()`,
      })
      .where(and(tx.inTenant(cleanupRuns), eq(cleanupRuns.id, id), isState(cleanupRuns.state, 'QUEUED')))
      .returning(),
  )
  if (!begun) return null
  const { isDryRun, before, exceedsBrake, includesForeign } = begun
  const options = { isDryRun, before, exceedsBrake, includesForeign }
  const isRequested = begun.requestedBy !== systemId
  return finishRun(ctx, { id, claim, ...options, isRequested, tally: RunTally.from(begun) }, sweep)
}

/** Rejects with what made the sweep fail, after it has been written down. */
async function finishRun(ctx: SweepContext, run: Run, sweep: RunWork): Promise<Outcome> {
  const { tally } = run
  const stopBeating = keepAlive(ctx, run)
  try {
    await sweep(fenced(ctx, ctx.principal.tenantId, run), run)
    await writeRun(ctx, run, { state: 'DONE', message: null })
    return { tally, ended: null, isUnfinished: false }
  } catch (error) {
    if (error instanceof TurnOver) {
      await pauseRun(ctx, run)
      return { tally, ended: null, isUnfinished: true }
    }
    // The worker that has it now writes how it ends.
    if (error instanceof RunTakenOver) throw error
    const message = sentenceForRun(error)
    if (error instanceof RunEnded) {
      await writeRun(ctx, run, { state: error.state, message })
      return { tally, ended: message, isUnfinished: false }
    }
    // Where not even this can be written down, what made the run fail is the better thing to tell.
    await writeRun(ctx, run, { state: 'FAILED', message }).catch(() => undefined)
    throw error
  } finally {
    stopBeating()
  }
}

/** What admins of a tenant may read: no SQL, no addresses, no stack. */
export function sentenceForRun(error: unknown): string {
  if (error instanceof RunEnded) return error.message
  if (isServiceUnavailable(error)) return 'The database or the bucket gave no usable answer. The next run goes on.'
  return 'An error of Filegraph itself; the log of the worker has the details.'
}

interface Ending {
  readonly state: 'DONE' | 'STOPPED' | 'REFUSED' | 'FAILED'
  readonly message: string | null
}

const writeRun = (ctx: SweepContext, run: Run, ending: Ending): Promise<unknown> =>
  writeInternal(ctx, (tx) =>
    tx.db
      .update(cleanupRuns)
      .set({ ...ending, ...run.tally.columns(), claim: null, finishedAt: ctx.now() })
      .where(isHeldBy(tx, run)),
  )

/** Queues the run behind those that wait already. It has made progress, so earlier interruptions no longer count. */
const pauseRun = (ctx: SweepContext, run: Run): Promise<unknown> =>
  writeInternal(ctx, (tx) =>
    tx.db
      .update(cleanupRuns)
      .set({ state: 'QUEUED', ...run.tally.columns(), claim: null, interruptions: 0, heartbeatAt: sql`now()` })
      .where(isHeldBy(tx, run)),
  )

export interface NewRun extends RunOptions {
  readonly id: string
  readonly kind: CleanupKind
  readonly state: 'QUEUED' | 'RUNNING'
  readonly claim: string | null
}

export async function insertRun(tx: Transaction, ctx: Context, run: NewRun): Promise<void> {
  const now = ctx.now()
  await tx.db.insert(cleanupRuns).values({
    tenantId: tx.tenantId,
    ...run,
    requestedBy: ctx.principal.id,
    createdAt: now,
    startedAt: run.state === 'RUNNING' ? now : null,
    heartbeatAt: sql`now()`,
    examined: 0,
    deleted: 0,
    deletedBytes: 0,
    held: {},
    found: {},
    sample: [],
  })
}

/** Notes how far a long run has come, so that it goes on from there if its worker dies. */
export const noteProgress = (ctx: SweepContext, run: Run): Promise<unknown> =>
  writeInternal(ctx, (tx) =>
    tx.db
      .update(cleanupRuns)
      .set({ ...run.tally.columns(), heartbeatAt: sql`now()` })
      .where(isHeldBy(tx, run)),
  )

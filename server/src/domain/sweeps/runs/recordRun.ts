import { and, eq, isNotNull, lt } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { cleanupRuns, type cleanupKinds, type cleanupStates } from '../../../database/tables/cleanupTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { writeInternal } from '../../change.ts'
import type { Context } from '../../context.ts'
import { newId } from '../../ids.ts'
import { isServiceUnavailable } from '../../serviceUnavailable.ts'
import { together } from '../../together.ts'
import { RunTally } from './runTally.ts'
import type { CleanupSettings } from './settings.ts'

export type CleanupKind = (typeof cleanupKinds)[number]
export type CleanupState = (typeof cleanupStates)[number]

/** What a sweep works with. */
export interface SweepContext extends Context {
  readonly settings: CleanupSettings
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

/** What a run did. */
export interface Outcome {
  readonly tally: RunTally
  /** Why it was stopped or refused; null when it came to its end. */
  readonly ended: string | null
}

export type RunWork = (ctx: SweepContext, run: Run) => Promise<void>

/** Makes a run of its own and records it from beginning to end. */
export async function recordRun(
  ctx: SweepContext,
  kind: CleanupKind,
  options: RunOptions,
  sweep: RunWork,
): Promise<Outcome> {
  const id = newId(ctx.now())
  await writeInternal(ctx, (tx) => insertRun(tx, ctx, { id, kind, state: 'RUNNING', ...options }))
  return finishRun(ctx, { id, ...options, isRequested: false, tally: new RunTally() }, sweep)
}

/** Begins a run that was asked for. Null when somebody else has begun it, or it has ended. */
export async function runRequested(
  ctx: SweepContext,
  id: string,
  options: RunOptions,
  sweep: RunWork,
): Promise<Outcome | null> {
  const begun = await writeInternal(ctx, (tx) =>
    tx.db
      .update(cleanupRuns)
      .set({ state: 'RUNNING', startedAt: ctx.now() })
      .where(and(tx.inTenant(cleanupRuns), eq(cleanupRuns.id, id), isState(cleanupRuns.state, 'QUEUED')))
      .returning({ id: cleanupRuns.id }),
  )
  if (begun.length === 0) return null
  return finishRun(ctx, { id, ...options, isRequested: true, tally: new RunTally() }, sweep)
}

/** Rejects with what made the sweep fail, after it has been written down. */
async function finishRun(ctx: SweepContext, run: Run, sweep: RunWork): Promise<Outcome> {
  try {
    await sweep(ctx, run)
    await writeRun(ctx, run, { state: 'DONE', message: null })
    return { tally: run.tally, ended: null }
  } catch (error) {
    const message = sentenceForRun(error)
    if (error instanceof RunEnded) {
      await writeRun(ctx, run, { state: error.state, message })
      return { tally: run.tally, ended: message }
    }
    // Where not even this can be written down, what made the run fail is the better thing to tell.
    await writeRun(ctx, run, { state: 'FAILED', message }).catch(() => undefined)
    throw error
  }
}

/** What admins of a tenant may read: no SQL, no addresses, no stack. */
export function sentenceForRun(error: unknown): string {
  if (error instanceof RunEnded) return error.message
  if (isServiceUnavailable(error)) return 'The database or the bucket gave no usable answer. The next run goes on.'
  return 'An error of Filegraph itself; the log of the worker has the details.'
}

async function writeRun(
  ctx: SweepContext,
  { id, tally }: Run,
  ending: { readonly state: 'DONE' | 'STOPPED' | 'REFUSED' | 'FAILED'; readonly message: string | null },
): Promise<void> {
  const { examined, deleted, deletedBytes, held, found, sample, position } = tally
  await writeInternal(ctx, (tx) =>
    tx.db
      .update(cleanupRuns)
      .set({
        ...ending,
        examined,
        deleted,
        deletedBytes,
        held,
        found,
        sample,
        position,
        finishedAt: ctx.now(),
      })
      .where(and(tx.inTenant(cleanupRuns), eq(cleanupRuns.id, id))),
  )
}

export interface NewRun extends RunOptions {
  readonly id: string
  readonly kind: CleanupKind
  readonly state: 'QUEUED' | 'RUNNING'
}

export async function insertRun(tx: Transaction, ctx: Context, run: NewRun): Promise<void> {
  const now = ctx.now()
  await closeAbandoned(tx, run.kind, now)
  await tx.db.insert(cleanupRuns).values({
    tenantId: tx.tenantId,
    ...run,
    requestedBy: ctx.principal.id,
    createdAt: now,
    startedAt: run.state === 'RUNNING' ? now : null,
    examined: 0,
    deleted: 0,
    deletedBytes: 0,
    held: {},
    found: {},
    sample: [],
  })
}

/** A run that took longer has lost its process. */
export const longestRunMs = 3_600_000

/** A run whose process died cannot say so itself. */
async function closeAbandoned(tx: Transaction, kind: CleanupKind, now: Date): Promise<void> {
  const isAbandoned = and(
    tx.inTenant(cleanupRuns),
    eq(cleanupRuns.kind, kind),
    isState(cleanupRuns.state, 'RUNNING'),
    isNotNull(cleanupRuns.startedAt),
    lt(cleanupRuns.startedAt, new Date(now.getTime() - longestRunMs)),
  )
  await together({
    locked: () =>
      tx.db.select({ id: cleanupRuns.id }).from(cleanupRuns).where(isAbandoned).orderBy(cleanupRuns.id).for('update'),
    closed: () =>
      tx.db
        .update(cleanupRuns)
        .set({ state: 'FAILED', finishedAt: now, message: 'Its process ended before it did.' })
        .where(isAbandoned),
  })
}

/** Notes how far a long run has come, so that the next one goes on from there if this one dies. */
export async function noteProgress(ctx: SweepContext, { id, tally }: Run): Promise<void> {
  const { examined, deleted, deletedBytes, held, found, sample, position } = tally
  await writeInternal(ctx, (tx) =>
    tx.db
      .update(cleanupRuns)
      .set({ examined, deleted, deletedBytes, held, found, sample, position })
      .where(and(tx.inTenant(cleanupRuns), eq(cleanupRuns.id, id), isState(cleanupRuns.state, 'RUNNING'))),
  )
}

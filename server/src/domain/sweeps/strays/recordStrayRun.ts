import { and, eq, lt } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { strayRuns } from '../../../database/tables/cleanupTables.ts'
import { newId } from '../../ids.ts'
import { limits } from '../../limits.ts'
import { type Outcome, RunEnded, type RunOptions, sentenceForRun } from '../runs/recordRun.ts'
import { RunTally } from '../runs/runTally.ts'
import type { Stray, StrayContext, StrayRun } from './strayRecords.ts'
import { sweepStrays } from './sweepStrays.ts'

export interface StrayOptions extends Omit<RunOptions, 'before'> {
  /** Examine only the prefix of this tenant. Null: the whole bucket. */
  readonly tenant: string | null
}

export const usualStrayRun: StrayOptions = {
  isDryRun: false,
  exceedsBrake: false,
  includesForeign: false,
  tenant: null,
}

export interface StrayOutcome extends Outcome {
  /** The first hundred prefixes that were found. */
  readonly strays: readonly Stray[]
}

/** A longer run has lost its process. */
const longestRunMs = 3_600_000

/** Searches for strays and records the run. Rejects with the error of a failed run after recording it. */
export async function recordStrayRun(ctx: StrayContext, options: StrayOptions): Promise<StrayOutcome> {
  const id = newId(ctx.now())
  const run: StrayRun = {
    id,
    claim: id,
    ...options,
    before: null,
    isRequested: true,
    tally: new RunTally(),
    strays: [],
  }
  await begin(ctx, run)
  try {
    await sweepStrays(ctx, run)
    await finish(ctx, run, { state: 'DONE', message: null })
    return { tally: run.tally, ended: null, isUnfinished: false, strays: run.strays }
  } catch (error) {
    const message = sentenceForRun(error)
    if (error instanceof RunEnded) {
      await finish(ctx, run, { state: error.state, message })
      return { tally: run.tally, ended: message, isUnfinished: false, strays: run.strays }
    }
    await finish(ctx, run, { state: 'FAILED', message }).catch(() => undefined)
    throw error
  }
}

/** Marks runs whose process died as failed, and deletes old ones. */
async function begin({ database, now, actor }: StrayContext, run: StrayRun): Promise<void> {
  const startedAt = now()
  const ago = (milliseconds: number) => new Date(startedAt.getTime() - milliseconds)
  const { id, isDryRun, includesForeign, tally } = run
  await database.lookUp(async (db) => {
    await db
      .update(strayRuns)
      .set({ state: 'FAILED', finishedAt: startedAt, message: 'Its process ended before it did.' })
      .where(and(isState(strayRuns.state, 'RUNNING'), lt(strayRuns.startedAt, ago(longestRunMs))))
    await db.delete(strayRuns).where(lt(strayRuns.startedAt, ago(limits.strayRunsKeptDays * 86_400_000)))
    const counts = tally.columns()
    await db.insert(strayRuns).values({ id, state: 'RUNNING', isDryRun, includesForeign, actor, startedAt, ...counts })
  })
}

interface Ending {
  readonly state: 'DONE' | 'STOPPED' | 'REFUSED' | 'FAILED'
  readonly message: string | null
}

async function finish({ database, now }: StrayContext, { id, tally }: StrayRun, ending: Ending): Promise<void> {
  const ended = { ...ending, ...tally.columns(), finishedAt: now() }
  await database.lookUp((db) => db.update(strayRuns).set(ended).where(eq(strayRuns.id, id)))
}

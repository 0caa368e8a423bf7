import { abortStaleUploads } from '../domain/sweeps/expire/abortStaleUploads.ts'
import { hasExpiredUploads, sweepExpiredUploads } from '../domain/sweeps/expire/expireUploads.ts'
import { deleteReleasedBlobs, hasReleasedBlobs } from '../domain/sweeps/purge/deleteReleasedBlobs.ts'
import { hasCooledFiles, nextPurgeAt, purgeCooledFiles } from '../domain/sweeps/purge/purgeCooledFiles.ts'
import { reconcileTenant } from '../domain/sweeps/reconcile/reconcileTenant.ts'
import {
  type CleanupKind,
  continueRun,
  type Outcome,
  recordRun,
  type RunWork,
  type SweepContext,
  usualRun,
} from '../domain/sweeps/runs/recordRun.ts'
import { RunTakenOver } from '../domain/sweeps/runs/fence.ts'
import { findUnfinishedRun, runEachQueued } from '../domain/sweeps/runs/runEachQueued.ts'
import { isResting, type NextLook, noteFailure, noteLook } from '../domain/sweeps/runs/sweepSchedule.ts'
import { hasBlobsToVerify, nextVerificationAt, verifyBlobs } from '../domain/sweeps/verify/verifyBlobs.ts'

interface KindOfSweep {
  readonly sweep: RunWork
  /** Whether a run of the schedule would find anything; without it every run is made and recorded. */
  readonly isDue?: (ctx: SweepContext) => Promise<boolean>
  /** When the schedule looks at the tenant again. Undefined: its work is found by its rows. */
  readonly nextAt?: NextLook
  /** The least time between two runs of the schedule in one tenant. */
  readonly pauseMs: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** What each kind of run does. */
const sweeps: Readonly<Record<CleanupKind, KindOfSweep>> = {
  EXPIRE_UPLOADS: { sweep: sweepExpiredUploads, isDue: hasExpiredUploads, pauseMs: 0 },
  ABORT_UPLOADS: { sweep: abortStaleUploads, pauseMs: 0 },
  PURGE_FILES: { sweep: purgeCooledFiles, isDue: hasCooledFiles, nextAt: nextPurgeAt, pauseMs: 10 * minuteMs },
  DELETE_BLOBS: { sweep: deleteReleasedBlobs, isDue: hasReleasedBlobs, pauseMs: 0 },
  RECONCILE: {
    sweep: reconcileTenant,
    nextAt: (_tx, _ctx, at) => new Date(at.getTime() + 24 * hourMs),
    pauseMs: hourMs,
  },
  VERIFY: { sweep: verifyBlobs, isDue: hasBlobsToVerify, nextAt: nextVerificationAt, pauseMs: hourMs },
}

export const cleanupKindNames = Object.keys(sweeps) as readonly CleanupKind[]

export const sweepOf = (kind: CleanupKind): KindOfSweep => sweeps[kind]

/**
 * Makes a run of the schedule in one tenant if there is something to do. Notes when the next look is due. After a failure the
 * tenant waits, and is not found meanwhile.
 */
export async function runIfDue(ctx: SweepContext, kind: CleanupKind): Promise<Outcome | null> {
  if (await isResting(ctx, kind)) return null
  const { isDue, nextAt, pauseMs } = sweeps[kind]
  try {
    const outcome = isDue && !(await isDue(ctx)) ? null : await makeRun(ctx, kind)
    const isMade = outcome !== null && !outcome.isUnfinished
    if (outcome?.ended && !nextAt) await noteFailure(ctx, kind)
    else if (outcome?.isUnfinished) await noteLook(ctx, kind, { nextAt: (_tx, _ctx, at) => at, pauseMs: 0 })
    else await noteLook(ctx, kind, { nextAt, pauseMs: isMade ? pauseMs : 0 })
    return outcome
  } catch (error) {
    // The take-over has noted when the next run is due.
    if (!(error instanceof RunTakenOver)) await noteFailure(ctx, kind, pauseMs).catch(() => undefined)
    throw error
  }
}

async function makeRun(ctx: SweepContext, kind: CleanupKind): Promise<Outcome | null> {
  const unfinished = await findUnfinishedRun(ctx, kind)
  if (unfinished !== null) return continueRun(ctx, unfinished, sweeps[kind].sweep)
  return recordRun(ctx, kind, usualRun, sweeps[kind].sweep)
}

/** Makes the runs that somebody asked for in one tenant. `tell` is called with the outcome of each. */
export const runQueued = (ctx: SweepContext, tell?: (kind: CleanupKind, outcome: Outcome) => void): Promise<void> =>
  runEachQueued(ctx, (kind) => sweeps[kind].sweep, tell)

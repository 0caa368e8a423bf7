import { abortStaleUploads } from '../domain/sweeps/expire/abortStaleUploads.ts'
import { hasExpiredUploads, sweepExpiredUploads } from '../domain/sweeps/expire/expireUploads.ts'
import { deleteReleasedBlobs, hasReleasedBlobs } from '../domain/sweeps/purge/deleteReleasedBlobs.ts'
import { hasCooledFiles, purgeCooledFiles } from '../domain/sweeps/purge/purgeCooledFiles.ts'
import { reconcileTenant } from '../domain/sweeps/reconcile/reconcileTenant.ts'
import {
  type CleanupKind,
  type Outcome,
  recordRun,
  type RunWork,
  type SweepContext,
  usualRun,
} from '../domain/sweeps/runs/recordRun.ts'
import { isInBackoff, runEachQueued } from '../domain/sweeps/runs/runEachQueued.ts'
import { hasBlobsToVerify, verifyBlobs } from '../domain/sweeps/verify/verifyBlobs.ts'

interface KindOfSweep {
  readonly sweep: RunWork
  /** Whether a run of the schedule would find anything; without it every run is made and recorded. */
  readonly isDue?: (ctx: SweepContext) => Promise<boolean>
}

/** What each kind of run does. */
const sweeps: Readonly<Record<CleanupKind, KindOfSweep>> = {
  EXPIRE_UPLOADS: { sweep: sweepExpiredUploads, isDue: hasExpiredUploads },
  ABORT_UPLOADS: { sweep: abortStaleUploads },
  PURGE_FILES: { sweep: purgeCooledFiles, isDue: hasCooledFiles },
  DELETE_BLOBS: { sweep: deleteReleasedBlobs, isDue: hasReleasedBlobs },
  RECONCILE: { sweep: reconcileTenant },
  VERIFY: { sweep: verifyBlobs, isDue: hasBlobsToVerify },
}

export const cleanupKindNames = Object.keys(sweeps) as readonly CleanupKind[]

export const sweepOf = (kind: CleanupKind): KindOfSweep => sweeps[kind]

/** A run of the schedule in one tenant, which is not made where there is nothing to do. */
export async function runIfDue(ctx: SweepContext, kind: CleanupKind): Promise<Outcome | null> {
  const { sweep, isDue } = sweeps[kind]
  if (isDue && !(await isDue(ctx))) return null
  if (await isInBackoff(ctx, kind)) return null
  return recordRun(ctx, kind, usualRun, sweep)
}

/** Makes the runs that somebody asked for in one tenant. `tell` is called with the outcome of each. */
export const runQueued = (ctx: SweepContext, tell?: (kind: CleanupKind, outcome: Outcome) => void): Promise<void> =>
  runEachQueued(ctx, (kind) => sweeps[kind].sweep, tell)

import { deleteReleasedBlobs, hasReleasedBlobs } from '../purge/deleteReleasedBlobs.ts'
import { hasCooledFiles, purgeCooledFiles } from '../purge/purgeCooledFiles.ts'
import { hasExpiredUploads, sweepExpiredUploads } from '../uploads/expireUploads.ts'
import { abortStaleUploads } from '../uploads/abortStaleUploads.ts'
import { reconcileTenant } from '../reconcile/reconcileTenant.ts'
import { hasBlobsToVerify, verifyBlobs } from '../reconcile/verifyBlobs.ts'
import { isToWait } from './isToWait.ts'
import { type CleanupKind, type Outcome, recordRun, type Sweep, type SweepContext, usualRun } from './recordRun.ts'

interface KindOfSweep {
  readonly sweep: Sweep
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
  if (await isToWait(ctx, kind)) return null
  return recordRun(ctx, kind, usualRun, sweep)
}

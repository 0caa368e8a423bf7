import { eq } from 'drizzle-orm'
import { installation as installationTable, installationLog } from '../../database/tables/cleanupTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import type { Context } from '../context.ts'
import { limits } from '../limits.ts'
import { RunEnded } from '../sweeps/runs/recordRun.ts'
import { type Judgement, judgeBucket } from './bucketMarker.ts'
import { type Side, describeSide } from './describeSide.ts'
import { type DatabaseServer, confirmGeneration, prepareGeneration, readInstallationOnServer } from './installation.ts'
import { type MarkerPlace, listMarkers, readMarker, refused, writeMarker } from './marker.ts'
import { type Veto, readVetoes, recordDecision, vetoKeyOf } from './veto.ts'

type Parts = Pick<Context, 'database' | 'blobs' | 'now'>

/** The facts for a person who decides which database owns the bucket. */
export interface Sides {
  /** The problem, in a sentence. Null if there is none. */
  readonly doubt: Judgement['doubt']
  readonly self: Side
  /** The newest marker in the bucket. */
  readonly newest: Judgement['newest']
  /** The descriptions that other databases left when they objected. */
  readonly others: readonly Veto[]
}

/** Reads both sides. Changes nothing. */
export async function readSides(ctx: Parts): Promise<Sides> {
  const { installation, server, newest, doubt } = await judgeBucket(ctx)
  const ownKey = vetoKeyOf(installation, server)
  const vetoes = await readVetoes(ctx.blobs)
  return {
    doubt,
    newest,
    self: await describeSide(ctx.database, installation, server),
    others: vetoes.filter(({ key }) => key !== ownKey),
  }
}

/**
 * Records a person's decision that this database owns the bucket. Writes a marker with a higher generation than all
 * others, then removes the others, then the vetoes. If the process dies in between, deletes stay refused. Another
 * database that still uses the bucket objects again within a minute.
 */
export async function acceptBucket(ctx: Parts, actor = 'unknown'): Promise<void> {
  const { database, blobs, now } = ctx
  const { installation, server } = await readInstallationOnServer(database)
  const doubtedSince = await findDoubtedSince(ctx, installation.refusedSince)
  const markers = await listMarkers(blobs)
  const vetoes = await readVetoes(blobs)
  const ahead = Math.max(installation.generation, ...markers.map((marker) => marker.generation))
  const next = await prepareGeneration(database, ahead)
  if (!(await writeMarker(blobs, next, server, now()))) throw refused('Another process marked the bucket meanwhile.')
  await confirmGeneration(database, next)
  await takeOver(database, server)
  const replaced = await Promise.all(markers.map((marker) => describeMarker(ctx, marker)))
  await recordDecision(ctx, 'BUCKET_ACCEPTED', actor, {
    ...next,
    token: undefined,
    doubtedSince,
    replaced,
    vetoes,
  })
  await blobs.delete(markers.map(({ key }) => key))
  await blobs.delete(vetoes.map(({ key }) => key))
}

/**
 * When the doubt about this database began, for `wasReleasedInDoubt`. Null if this database is right and another one
 * objected. A period that is too long only keeps more bytes.
 */
async function findDoubtedSince(ctx: Parts, refusedSince: Date | null): Promise<string | null> {
  try {
    const { doubt } = await judgeBucket(ctx)
    if (doubt === null || doubt.finding === 'VETOED') return null
  } catch (error) {
    // A marker that cannot be parsed is also a doubt. The person decides anyway.
    if (!(error instanceof RunEnded)) throw error
  }
  return (refusedSince ?? ctx.now()).toISOString()
}

/** The overruled markers, for the log. A damaged one is named only by its key. */
async function describeMarker({ blobs }: Parts, place: MarkerPlace) {
  const { key, writer } = await readMarker(blobs, place)
  return { key, writer }
}

/** No settling time is needed, because a person has decided. */
const takeOver = (database: TenantDatabase, server: DatabaseServer) =>
  database.lookUp((db) =>
    db.update(installationTable).set({
      systemIdentifier: server.systemIdentifier,
      databaseOid: server.databaseOid,
      serverStartedAt: server.startedAt,
      settlingSince: null,
      refusal: null,
      refusedSince: null,
      retiredAt: null,
    }),
  )

/**
 * Records a person's decision that another database owns the bucket. This database then deletes nothing and no longer
 * objects to others. Its own veto is removed. Vetoes of others stay until the owner of the bucket is accepted.
 */
export async function retireDatabase(ctx: Parts, actor: string): Promise<void> {
  const { database, blobs, now } = ctx
  const { installation, server } = await readInstallationOnServer(database)
  await database.lookUp((db) => db.update(installationTable).set({ retiredAt: now() }))
  await recordDecision(ctx, 'DATABASE_RETIRED', actor, { id: installation.id, generation: installation.generation })
  await blobs.delete([vetoKeyOf(installation, server)])
}

/** A period in which this database worked although it may have been restored. A person's decision ended it. */
export interface DoubtfulTime {
  readonly since: Date
  readonly until: Date
}

/** All such periods, one per decision. */
export async function readDoubtfulTimes(database: TenantDatabase): Promise<DoubtfulTime[]> {
  const decisions = await database.lookUp((db) =>
    db
      .select({ at: installationLog.at, payload: installationLog.payload })
      .from(installationLog)
      .where(eq(installationLog.action, 'BUCKET_ACCEPTED')),
  )
  return decisions.flatMap(({ at, payload: { doubtedSince } }) =>
    typeof doubtedSince === 'string' ? [{ since: new Date(doubtedSince), until: at }] : [],
  )
}

interface Released {
  readonly createdAt: Date
  readonly deletingSince: Date | null
}

const skewMs = limits.clockSkewSeconds * 1_000

/**
 * True if an upload was created before a person's decision and ended after the doubt began. The original database, or
 * this one before it was restored, may have committed the upload as a file.
 */
export const wasReleasedInDoubt = ({ createdAt, deletingSince }: Released, times: readonly DoubtfulTime[]): boolean =>
  times.some(
    ({ since, until }) =>
      createdAt.getTime() <= until.getTime() + skewMs &&
      deletingSince !== null &&
      deletingSince.getTime() >= since.getTime() - skewMs,
  )

import { earliest, latest } from '../clocks.ts'
import type { Context } from '../context.ts'
import type { SweepContext } from '../sweeps/runs/recordRun.ts'
import {
  confirmGeneration,
  type DatabaseServer,
  type Installation,
  keepServer,
  noteRefusal,
  prepareGeneration,
  readInstallation,
  readInstallationOnServer,
} from './installation.ts'
import { listMarkers, type Marker, readMarker, refused, removePastMarkers, writeMarker } from './marker.ts'
import { type Doubt, doubtOf, leaveVeto, readVetoes, vetoKeyOf } from './veto.ts'

type Parts = Pick<Context, 'database' | 'blobs' | 'now'>

/** A comparison of the database and the bucket at one moment. */
export interface Judgement {
  readonly installation: Installation
  readonly server: DatabaseServer
  readonly newest: Marker | null
  /** Null: they belong together, and no database objects to deletes. */
  readonly doubt: Doubt | null
  /** False: the newest marker is ours, but the process that wrote it died before it recorded that. */
  readonly isConfirmed: boolean
}

/** Retries, because other processes of this database can advance the marker during the comparison. */
const looks = 5

/** Reads both and compares them. Changes nothing. */
export async function judgeBucket(ctx: Parts, looksLeft = looks): Promise<Judgement> {
  const { installation, server } = await readInstallationOnServer(ctx.database)
  const newest = await readNewest(ctx, installation)
  const isOurNext = newest?.generation === installation.generation + 1 && newest.token === installation.nextToken
  const known = isOurNext ? { ...installation, ...placeOf(newest) } : installation
  const own = doubtOf(known, server, newest)
  if (own !== null && looksLeft > 1 && (await hasMoved(ctx, installation))) return judgeBucket(ctx, looksLeft - 1)
  // Vetoes are read last, so that the newest answer decides.
  const doubt = retirementOf(installation) ?? own ?? (await findVeto(ctx, vetoKeyOf(installation, server)))
  return { installation: known, server, newest, doubt, isConfirmed: !isOurNext }
}

const placeOf = ({ generation, token }: Marker) => ({ generation, token, nextToken: null, isMarked: true })

/** A marker of another installation takes precedence over our own. */
async function readNewest({ blobs }: Parts, { id }: Installation): Promise<Marker | null> {
  const places = await listMarkers(blobs)
  const place = places.findLast((marker) => marker.id !== id) ?? places.at(-1)
  return place ? readMarker(blobs, place) : null
}

/** The marker is read after the row. Another process may have changed both in between. */
async function hasMoved({ database }: Parts, { generation, nextToken }: Installation): Promise<boolean> {
  const now = await readInstallation(database)
  return now.generation !== generation || now.nextToken !== nextToken
}

/** Chooses the most informative veto: one of another database with its own reason. */
async function findVeto({ blobs }: Parts, ownKey: string): Promise<Doubt | null> {
  const vetoes = await readVetoes(blobs)
  const others = vetoes.filter(({ key }) => key !== ownKey)
  const veto = others.find(({ finding }) => finding !== 'VETOED') ?? others[0] ?? vetoes[0]
  if (!veto) return null
  const { databaseName, host } = veto.self
  const who = veto.key === ownKey ? 'this database itself' : `the database "${databaseName}" on the host ${host}`
  return { finding: 'VETOED', sentence: `At ${veto.at} ${who} objected to all deletes: ${veto.sentence}`, other: null }
}

function retirementOf({ retiredAt }: Installation): Doubt | null {
  if (!retiredAt) return null
  const sentence = `At ${retiredAt.toISOString()} a person decided that another database owns this bucket.`
  return { finding: 'RETIRED', sentence, other: null }
}

/**
 * Must be called before anything is deleted or reported as damaged. Ends the run with REFUSED unless this bucket and
 * this database belong together. Leaves a veto if it finds another database, so that the other one stops too. Marks a
 * bucket without a marker if this database never wrote one. A dry run only reads.
 */
export async function assertOwnBucket(ctx: Parts, { isDryRun = false } = {}): Promise<Judgement> {
  const judgement = await judgeBucket(ctx)
  const { installation, newest, doubt } = judgement
  if (doubt !== null) {
    if (!isDryRun) await refuse(ctx, judgement, doubt)
    throw refused(doubt.sentence)
  }
  if (isDryRun) return judgement
  if (newest === null) {
    await writeNext(ctx, judgement)
    return assertOwnBucket(ctx)
  }
  if (!judgement.isConfirmed) await confirmGeneration(ctx.database, newest)
  if (installation.refusal !== null) await noteRefusal(ctx.database, null, ctx.now())
  return judgement
}

/** Updates the row first, because the processes of this database read it even if the bucket accepts no object. */
async function refuse(ctx: Parts, { installation, server }: Judgement, doubt: Doubt): Promise<void> {
  if (installation.refusal !== doubt.sentence) await noteRefusal(ctx.database, doubt.sentence, ctx.now())
  // No other database has to be stopped: the bucket has no marker, or a person has already decided.
  if (doubt.finding === 'UNMARKED' || doubt.finding === 'RETIRED') return
  await leaveVeto(ctx, doubt, installation, server)
}

/**
 * The last check before each batch of deletes. In addition to `assertOwnBucket`, a new server process must have written
 * the markers for `settleMs`, so that another database on the bucket has had time to object.
 */
export async function assertMayDelete(ctx: Pick<SweepContext, keyof Parts | 'settings'>): Promise<void> {
  const judgement = await assertOwnBucket(ctx)
  const until = settlesAt(judgement, ctx.settings.settleMs)
  if (until === 'LATER' || until > earliest(ctx.now(), judgement.server.now)) throw refused(settlingSentence(until))
}

/** True if only the settling time prevents deletes. Reads only the database. */
export async function isSettling(ctx: Pick<SweepContext, keyof Parts | 'settings'>): Promise<boolean> {
  const known = await readInstallationOnServer(ctx.database)
  if (!known.installation.isMarked) return false
  const until = settlesAt(known, ctx.settings.settleMs)
  return until === 'LATER' || until > earliest(ctx.now(), known.server.now)
}

/** LATER: the server has not written a marker yet. */
function settlesAt({ installation, server }: Pick<Judgement, 'installation' | 'server'>, settleMs: number) {
  if (settleMs === 0) return new Date(0)
  if (installation.serverStartedAt !== server.startedAt) return 'LATER'
  const { settlingSince } = installation
  return settlingSince === null ? new Date(0) : new Date(settlingSince.getTime() + settleMs)
}

function settlingSentence(until: Date | 'LATER'): string {
  const why = 'The database server was started a short time ago, or is a copy. Nothing is deleted'
  const time = until === 'LATER' ? 'before it has marked the bucket' : `before ${until.toISOString()}`
  return `${why} ${time}, so that another database on the same bucket has time to object.`
}

/** Writes the next generation into the bucket and removes old ones. Every process may call it at any time. */
export async function advanceMarker(ctx: Parts): Promise<void> {
  await writeNext(ctx, await assertOwnBucket(ctx))
}

/** All processes write the same token for this generation, so it does not matter which one is first. */
async function writeNext(ctx: Parts, { installation, server }: Judgement): Promise<void> {
  const { database, blobs, now } = ctx
  const next = await prepareGeneration(database)
  if (!(await writeMarker(blobs, next, server, now()))) {
    // Another database was first. The next comparison identifies it and leaves a veto.
    await assertOwnBucket(ctx)
    return
  }
  await confirmGeneration(database, next)
  const isFirst = !installation.isMarked
  await keepServer(database, server, isFirst ? null : latest(now(), server.now))
  await removePastMarkers(blobs, next)
}

import type { BlobStore } from '../../storage/blobStore.ts'
import type { Context } from '../context.ts'
import { RunEnded } from '../cleanup/recordRun.ts'
import { confirmGeneration, type Installation, prepareGeneration, readInstallation } from './installation.ts'

/**
 * Says in the bucket whose it is: an object `filegraph/installation/<id>/<generation>` for the last generations, each
 * created once and never overwritten. The database knows its own generation, so that a database that was put back to an
 * earlier state finds markers ahead of it, and one that is pointed at another bucket finds none, or another's.
 */
const prefix = 'filegraph/installation/'
const keptGenerations = 3
const maxTokenBytes = 200

const parted = 'The database and the bucket have parted: one of them is a copy.'

const markerKey = (id: string, generation: number) => `${prefix}${id}/${String(generation).padStart(16, '0')}`

type Parts = Pick<Context, 'database' | 'blobs'>

/** Other processes advance the marker while it is being looked at. */
const looks = 5

/**
 * Before anything is deleted: ends the run with REFUSED unless this bucket and this database belong together, neither
 * older than the other. A bucket without a marker is taken as ours if we never had one.
 */
export async function assertOwnBucket(ctx: Parts, looksLeft = looks): Promise<Installation> {
  const installation = await readInstallation(ctx.database)
  const newest = await readNewest(ctx.blobs, installation)
  if (newest === null && !installation.isMarked) {
    await writeNext(ctx, await prepareGeneration(ctx.database))
    return assertOwnBucket(ctx)
  }
  const { generation, nextToken } = installation
  if (newest?.generation === generation + 1 && newest.token === nextToken) {
    await confirmGeneration(ctx.database, newest)
    return { ...installation, ...newest, nextToken: null, isMarked: true }
  }
  const doubt = doubtOf(installation, newest)
  if (doubt === null) return installation
  if (looksLeft > 1 && (await hasMoved(ctx, installation))) return assertOwnBucket(ctx, looksLeft - 1)
  throw refused(doubt)
}

interface Newest {
  readonly generation: number
  readonly token: string
}

/** Why the two do not belong together, in words for people; null when they do. */
function doubtOf({ generation, token }: Installation, newest: Newest | null): string | null {
  if (newest === null) return 'The bucket has no marker of this installation: it is another, or was emptied.'
  if (newest.generation > generation)
    return 'The database is older than the bucket: it was put back to an earlier state.'
  if (newest.generation < generation) return 'The bucket is older than the database: it was put back, or is a copy.'
  return newest.token === token ? null : parted
}

/** The marker is looked at after the row: in between, another process may have changed both. */
async function hasMoved({ database }: Parts, { generation, nextToken }: Installation): Promise<boolean> {
  const now = await readInstallation(database)
  return now.generation !== generation || now.nextToken !== nextToken
}

/** Writes the next generation into the bucket, and removes those long past. Every process may do so at any time. */
export async function advanceMarker(ctx: Parts): Promise<void> {
  await assertOwnBucket(ctx)
  await writeNext(ctx, await prepareGeneration(ctx.database))
}

/**
 * The operator's word that this database and this bucket belong together from now on, after one of them was put back.
 * What is in the bucket and unknown to the database is an orphan from then on.
 */
export async function acceptBucket(ctx: Parts): Promise<void> {
  const { generation } = await readInstallation(ctx.database)
  const markers = await listMarkers(ctx.blobs)
  const ahead = Math.max(generation, ...markers.map((marker) => marker.generation))
  await writeNext(ctx, await prepareGeneration(ctx.database, ahead))
  await ctx.blobs.delete(markers.map(({ key }) => key))
}

interface Next {
  readonly id: string
  readonly generation: number
  readonly token: string
}

/** Whoever writes this generation writes the same, so that it matters to nobody who is first. */
async function writeNext({ database, blobs }: Parts, next: Next): Promise<void> {
  const content = new TextEncoder().encode(next.token)
  const marker = markerKey(next.id, next.generation)
  const written = await blobs.write(marker, content, { contentType: 'text/plain', onlyIf: 'ABSENT' })
  if (written === 'PRESENT' && (await readToken(blobs, marker)) !== next.token) throw refused(parted)
  await confirmGeneration(database, next)
  const past = (await listMarkers(blobs)).filter(
    ({ id, generation }) => id === next.id && generation <= next.generation - keptGenerations,
  )
  await blobs.delete(past.map(({ key }) => key))
}

interface Marker {
  readonly key: string
  readonly id: string
  readonly generation: number
}

/** Null where the bucket has no marker at all. */
async function readNewest(blobs: BlobStore, { id }: Installation): Promise<Newest | null> {
  const markers = await listMarkers(blobs)
  if (markers.some((marker) => marker.id !== id)) throw refused('The bucket belongs to another installation.')
  const newest = markers.at(-1)
  if (!newest) return null
  return { generation: newest.generation, token: await readToken(blobs, newest.key) }
}

async function readToken(blobs: BlobStore, key: string): Promise<string> {
  const content = await blobs.readStart(key, maxTokenBytes)
  if (!content) throw refused('The marker of the bucket is there and cannot be read.')
  return new TextDecoder().decode(content)
}

/** In ascending order of key. */
async function listMarkers(blobs: BlobStore): Promise<Marker[]> {
  const { objects, continuationToken } = await blobs.list({ prefix })
  if (continuationToken !== null) throw refused('The bucket has more markers than can be: who writes them?')
  return objects.map(({ key }) => {
    const [id = '', generation = '', ...rest] = key.slice(prefix.length).split('/')
    if (!/^\d{16}$/.test(generation) || rest.length > 0) throw refused('The marker of the bucket cannot be understood.')
    return { key, id, generation: Number(generation) }
  })
}

const refused = (message: string) => new RunEnded('REFUSED', message)

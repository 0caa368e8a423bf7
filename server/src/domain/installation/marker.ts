import { hostname } from 'node:os'
import { z } from 'zod'
import type { BlobStore } from '../../storage/blobStore.ts'
import { parseJson } from '../text.ts'
import { RunEnded } from '../sweeps/runs/recordRun.ts'
import type { DatabaseServer, Generation } from './installation.ts'

/**
 * Objects that identify the owner of a bucket: `filegraph/installation/<id>/<generation>` for the last generations.
 * Each is created once and never overwritten. It holds the token of its generation and, for people, its writer.
 */
const prefix = 'filegraph/installation/'
const keptGenerations = 3
const maxContentBytes = 4_096

export const refused = (message: string) => new RunEnded('REFUSED', message)

export const markerKey = (id: string, generation: number) => `${prefix}${id}/${paddedGeneration(generation)}`

export const paddedGeneration = (generation: number) => String(generation).padStart(16, '0')

export interface MarkerPlace {
  readonly key: string
  readonly id: string
  readonly generation: number
}

/** The writer of a marker. Markers of earlier versions have none. */
const markerWriter = z
  .object({
    at: z.string(),
    host: z.string(),
    databaseName: z.string(),
    systemIdentifier: z.string().nullable(),
    databaseOid: z.number(),
  })
  .readonly()
export type MarkerWriter = z.infer<typeof markerWriter>

/** Only the token is compared. The writer is for people, and a marker without it is valid. */
const markerContent = z.object({ token: z.string(), writer: markerWriter.nullable().catch(null) })

export interface Marker extends MarkerPlace {
  readonly token: string
  readonly writer: MarkerWriter | null
}

/** Describes the writer for people. */
export function lastWriter({ writer }: Marker): string {
  if (!writer) return 'Its last marker does not say who wrote it.'
  return `The last marker was written at ${writer.at} by the database "${writer.databaseName}", from the host ${writer.host}.`
}

/** In ascending order of the key. Ends the run with REFUSED if the prefix holds another object. */
export async function listMarkers(blobs: BlobStore): Promise<MarkerPlace[]> {
  const { objects, continuationToken } = await blobs.list({ prefix })
  if (continuationToken !== null) throw refused('The bucket has too many markers. Find out who writes them.')
  return objects.map(({ key }) => {
    const [id = '', generation = '', ...rest] = key.slice(prefix.length).split('/')
    if (!/^\d{16}$/.test(generation) || rest.length > 0) throw refused(`The marker "${key}" cannot be understood.`)
    return { key, id, generation: Number(generation) }
  })
}

export async function readMarker(blobs: BlobStore, place: MarkerPlace): Promise<Marker> {
  const content = await blobs.readStart(place.key, maxContentBytes)
  if (!content) throw refused('The marker of the bucket is listed but cannot be read.')
  return { ...place, ...parse(new TextDecoder().decode(content)) }
}

/** Earlier versions wrote only the token. Any other content matches no token, and so causes a doubt. */
const parse = (text: string): Pick<Marker, 'token' | 'writer'> =>
  parseJson(markerContent, text) ?? { token: text, writer: null }

/**
 * Creates the marker of a generation. Returns true if the marker holds this token, regardless of which process wrote
 * it.
 */
export async function writeMarker(blobs: BlobStore, next: Generation, server: DatabaseServer, now: Date) {
  const { systemIdentifier, databaseOid, databaseName } = server
  const writer: MarkerWriter = { at: now.toISOString(), host: hostname(), databaseName, systemIdentifier, databaseOid }
  const content = new TextEncoder().encode(JSON.stringify({ token: next.token, writer }))
  const key = markerKey(next.id, next.generation)
  const contentType = 'application/json'
  const written = await blobs.write(key, content, { contentType, onlyIf: 'ABSENT', installation: next.id })
  if (written === 'WRITTEN') return true
  const found = await readMarker(blobs, { key, id: next.id, generation: next.generation })
  return found.token === next.token
}

/** Removes old markers of this installation. */
export async function removePastMarkers(blobs: BlobStore, { id, generation }: Generation): Promise<void> {
  const past = (await listMarkers(blobs)).filter(
    (marker) => marker.id === id && marker.generation <= generation - keptGenerations,
  )
  await blobs.delete(past.map(({ key }) => key))
}

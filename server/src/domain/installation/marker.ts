import { hostname } from 'node:os'
import { z } from 'zod'
import type { BlobStore } from '../../storage/blobStore.ts'
import { parseJson } from '../json.ts'
import { RunEnded } from '../sweeps/runs/recordRun.ts'
import type { DatabaseServer, Generation } from './installation.ts'

/**
 * The objects that say whose a bucket is: `filegraph/installation/<id>/<generation>` for the last generations, each created
 * once and never overwritten. Each holds the token of its generation and who wrote it, for people.
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

/** Who wrote a marker. Markers of earlier versions do not say. */
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

/** The token decides; who wrote it is for people, and a marker without it is a marker all the same. */
const markerContent = z.object({ token: z.string(), writer: markerWriter.nullable().catch(null) })

export interface Marker extends MarkerPlace {
  readonly token: string
  readonly writer: MarkerWriter | null
}

/** For people. */
export function lastWriter({ writer }: Marker): string {
  if (!writer) return 'Its last marker does not say who wrote it.'
  return `The last marker was written at ${writer.at} by the database "${writer.databaseName}", from the host ${writer.host}.`
}

/** In ascending order of key. Ends the run with REFUSED if something else lies there. */
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

/** Earlier versions wrote the token alone. What is anything else matches no token, and so raises a doubt. */
const parse = (text: string): Pick<Marker, 'token' | 'writer'> =>
  parseJson(markerContent, text) ?? { token: text, writer: null }

/** Creates the marker of a generation. Returns whether it holds this token now, no matter which process wrote it. */
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

/** Removes the markers of this installation that are long past. */
export async function removePastMarkers(blobs: BlobStore, { id, generation }: Generation): Promise<void> {
  const past = (await listMarkers(blobs)).filter(
    (marker) => marker.id === id && marker.generation <= generation - keptGenerations,
  )
  await blobs.delete(past.map(({ key }) => key))
}

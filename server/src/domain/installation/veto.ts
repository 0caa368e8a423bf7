import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import { z } from 'zod'
import { installationLog } from '../../database/tables/cleanupTables.ts'
import type { BlobStore } from '../../storage/blobStore.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import { parseJson } from '../text.ts'
import { describeSide, sideShape } from './describeSide.ts'
import type { DatabaseServer, Installation } from './installation.ts'
import { lastWriter, type Marker, paddedGeneration, refused } from './marker.ts'

/**
 * Why a bucket and a database may not belong together. UNMARKED: the bucket has no marker. FOREIGN: its marker is of
 * another installation. AHEAD: the marker has a later generation. BEHIND: it has an earlier one. PARTED: it has this
 * generation, but another database wrote it. MOVED: the marker is right, but the database runs on another server.
 * VETOED: another database on the same bucket found one of these. RETIRED: a person decided that another database owns
 * the bucket.
 */
const findings = ['UNMARKED', 'FOREIGN', 'AHEAD', 'BEHIND', 'PARTED', 'MOVED', 'VETOED', 'RETIRED'] as const
type Finding = (typeof findings)[number]

export interface Doubt {
  readonly finding: Finding
  /** The finding in words for people: which side is older, and who wrote the other one. */
  readonly sentence: string
  /** The marker in the bucket. Null if there is none. */
  readonly other: Marker | null
}

/** Compares the database's row with the newest marker. Null: they belong together. */
export function doubtOf(installation: Installation, server: DatabaseServer, newest: Marker | null): Doubt | null {
  if (newest === null) {
    const sentence = 'The bucket has no marker of this installation: it is another bucket, or was emptied.'
    return installation.isMarked ? { finding: 'UNMARKED', sentence, other: null } : null
  }
  const found = (finding: Finding, sentence: string): Doubt => ({ finding, sentence, other: newest })
  const { generation, token } = installation
  const place = `This database is at generation ${generation}, the bucket at ${newest.generation}`
  if (newest.id !== installation.id) {
    return found('FOREIGN', `The bucket belongs to another installation (${newest.id}). ${lastWriter(newest)}`)
  }
  if (newest.generation > generation) {
    const why = isWrittenBy(newest, server)
      ? 'It was put back to an earlier state.'
      : 'It was put back to an earlier state, or another database, a copy, has run on the same bucket since.'
    return found('AHEAD', `This database is older than the bucket. ${why} ${place}. ${lastWriter(newest)}`)
  }
  if (newest.generation < generation) {
    const why = 'The bucket is older than the database: it was put back to an earlier state, or is a copy.'
    return found('BEHIND', `${why} ${place}. ${lastWriter(newest)}`)
  }
  if (newest.token !== token) {
    const why =
      'The database and the bucket have parted: another database, a copy, wrote the marker of this generation.'
    return found('PARTED', `${why} ${lastWriter(newest)}`)
  }
  return hasMoved(installation, server) ? found('MOVED', movedSentence(newest)) : null
}

const isWrittenBy = ({ writer }: Marker, server: DatabaseServer): boolean =>
  writer !== null && writer.systemIdentifier === server.systemIdentifier && writer.databaseOid === server.databaseOid

/** True after a restore from a dump or a copy within the server. Replicas and copies of the disk keep both values. */
const hasMoved = ({ systemIdentifier, databaseOid }: Installation, server: DatabaseServer): boolean =>
  (databaseOid !== null && databaseOid !== server.databaseOid) ||
  (systemIdentifier !== null && server.systemIdentifier !== null && systemIdentifier !== server.systemIdentifier)

const movedSentence = (newest: Marker) =>
  `This database was restored or copied: the original marked the bucket from another server or under another name. ${lastWriter(newest)}`

/**
 * Objections to all deletes from a bucket: one object `filegraph/veto/<installation>/<generation>-<hash>` for each
 * database that found a problem. While one exists, no database deletes anything or advances the marker, so each leaves
 * at most one. A person removes them with `filegraph accept-bucket`.
 */
export const vetoPrefix = 'filegraph/veto/'
const maxContentBytes = 16_384

const vetoContent = z
  .object({
    /**
     * What the database that left the veto found. VETOED: only that another database objected; this one adds its own
     * description.
     */
    finding: z.enum(findings),
    sentence: z.string(),
    at: z.string(),
    /** The database that left the veto. */
    self: sideShape,
    /** The marker that it found. Null if there was none. */
    other: z.object({ installationId: z.string(), generation: z.number(), writer: z.unknown() }).readonly().nullable(),
  })
  .readonly()
type VetoContent = z.infer<typeof vetoContent>
export type Veto = VetoContent & { readonly key: string }

type Parts = Pick<Context, 'database' | 'blobs' | 'now'>

async function listKeys(blobs: BlobStore): Promise<string[]> {
  const { objects } = await blobs.list({ prefix: vetoPrefix })
  return objects.map(({ key }) => key)
}

export const encodeVeto = (veto: VetoContent): Uint8Array => new TextEncoder().encode(JSON.stringify(veto))

/** The first thousand. Ends the run with REFUSED if one cannot be parsed, because it is still a veto. */
export async function readVetoes(blobs: BlobStore): Promise<Veto[]> {
  const vetoes: Veto[] = []
  for (const key of await listKeys(blobs)) {
    const content = await blobs.readStart(key, maxContentBytes)
    // Null if it was removed after it was listed.
    if (content) vetoes.push({ ...parse(key, new TextDecoder().decode(content)), key })
  }
  return vetoes
}

function parse(key: string, text: string): VetoContent {
  const content = parseJson(vetoContent, text)
  if (!content) throw refused(`The veto "${key}" cannot be understood.`)
  return content
}

/** Two copies with the same generation have different keys: the hash covers the token and the server. */
export function vetoKeyOf({ id, generation, token }: Installation, server: DatabaseServer): string {
  const who = hash('sha256', [token, server.systemIdentifier, server.databaseOid, server.startedAt].join())
  return `${vetoPrefix}${id}/${paddedGeneration(generation)}-${who.slice(0, 16)}`
}

/** Leaves the veto of this database, if it does not exist. */
export async function leaveVeto(
  { database, blobs, now }: Parts,
  { finding, sentence, other }: Doubt,
  installation: Installation,
  server: DatabaseServer,
): Promise<void> {
  const key = vetoKeyOf(installation, server)
  if ((await listKeys(blobs)).includes(key)) return
  const veto: VetoContent = {
    finding,
    sentence,
    at: now().toISOString(),
    self: await describeSide(database, installation, server),
    other: other && { installationId: other.id, generation: other.generation, writer: other.writer },
  }
  const content = encodeVeto(veto)
  const contentType = 'application/json'
  const written = await blobs.write(key, content, { contentType, onlyIf: 'ABSENT', installation: installation.id })
  if (written === 'WRITTEN')
    await recordDecision({ database, now }, 'VETO_LEFT', hostname(), { key, finding, sentence })
}

/** Logs a decision about the bucket. `actor` is the machine or the person. */
export async function recordDecision(
  { database, now }: Pick<Context, 'database' | 'now'>,
  action: (typeof installationLog.$inferInsert)['action'],
  actor: string,
  payload: Record<string, unknown>,
): Promise<void> {
  const at = now()
  await database.lookUp((db) => db.insert(installationLog).values({ id: newId(at), at, action, actor, payload }))
}

import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import { installationLog } from '../../database/tables/cleanupTables.ts'
import type { BlobStore } from '../../storage/blobStore.ts'
import type { Context } from '../context.ts'
import { newId } from '../newId.ts'
import { describeSide, type Side } from './describeSide.ts'
import type { Doubt, Finding } from './doubt.ts'
import type { DatabaseServer, Installation } from './installation.ts'
import { paddedGeneration, refused } from './marker.ts'

/**
 * Objections to any deletion from a bucket: one object `filegraph/veto/<installation>/<generation>-<hash>` for each database
 * that found something wrong. While one of them is there, no database deletes anything and none advances the marker, so
 * that each leaves at most one. A person removes them with `filegraph accept-bucket`.
 */
const prefix = 'filegraph/veto/'
const maxContentBytes = 16_384

export interface Veto {
  readonly key: string
  /** What the database found that left it. VETOED: only that another one objected; it then states its own side. */
  readonly finding: Finding
  readonly sentence: string
  readonly at: string
  /** The database that left it. */
  readonly self: Side
  /** What the bucket said to it. Null where it said nothing. */
  readonly other: { readonly installationId: string; readonly generation: number; readonly writer: unknown } | null
}

type Parts = Pick<Context, 'database' | 'blobs' | 'now'>

async function listKeys(blobs: BlobStore): Promise<string[]> {
  const { objects } = await blobs.list({ prefix })
  return objects.map(({ key }) => key)
}

/** The first thousand. Ends the run with REFUSED if one cannot be understood: it is a veto all the same. */
export async function readVetoes(blobs: BlobStore): Promise<Veto[]> {
  const vetoes: Veto[] = []
  for (const key of await listKeys(blobs)) {
    const content = await blobs.readStart(key, maxContentBytes)
    // Removed since it was listed.
    if (content) vetoes.push({ ...parse(key, new TextDecoder().decode(content)), key })
  }
  return vetoes
}

function parse(key: string, text: string): Omit<Veto, 'key'> {
  try {
    return JSON.parse(text) as Omit<Veto, 'key'>
  } catch {
    throw refused(`The veto "${key}" cannot be understood.`)
  }
}

/** Two copies at the same generation have different keys: the hash covers the token and the server. */
export function vetoKeyOf({ id, generation, token }: Installation, server: DatabaseServer): string {
  const who = hash('sha256', [token, server.systemIdentifier, server.databaseOid, server.startedAt].join())
  return `${prefix}${id}/${paddedGeneration(generation)}-${who.slice(0, 16)}`
}

/** Leaves the veto of this database, unless it is there already. */
export async function leaveVeto(
  { database, blobs, now }: Parts,
  { finding, sentence, other }: Doubt,
  installation: Installation,
  server: DatabaseServer,
): Promise<void> {
  const key = vetoKeyOf(installation, server)
  if ((await listKeys(blobs)).includes(key)) return
  const veto: Omit<Veto, 'key'> = {
    finding,
    sentence,
    at: now().toISOString(),
    self: await describeSide(database, installation, server),
    other: other && { installationId: other.id, generation: other.generation, writer: other.writer },
  }
  const content = new TextEncoder().encode(JSON.stringify(veto))
  const contentType = 'application/json'
  const written = await blobs.write(key, content, { contentType, onlyIf: 'ABSENT', installation: installation.id })
  if (written === 'WRITTEN')
    await recordDecision({ database, now }, 'VETO_LEFT', hostname(), { key, finding, sentence })
}

/** Keeps what was decided about the bucket as a whole. `actor` is the machine or the person. */
export async function recordDecision(
  { database, now }: Pick<Context, 'database' | 'now'>,
  action: (typeof installationLog.$inferInsert)['action'],
  actor: string,
  payload: Record<string, unknown>,
): Promise<void> {
  const at = now()
  await database.lookUp((db) => db.insert(installationLog).values({ id: newId(at), at, action, actor, payload }))
}

import type { DatabaseServer, Installation } from './installation.ts'
import { lastWriter, type Marker } from './marker.ts'

/**
 * Why a bucket and a database may not belong together. UNMARKED: the bucket has no marker. FOREIGN: it has one of another
 * installation. AHEAD: of a later generation. BEHIND: of an earlier one. PARTED: of this generation, written by another
 * database. MOVED: the marker is right, and the database runs where it did not run before. VETOED: another database on the
 * same bucket found one of these. RETIRED: a person decided that another database owns the bucket.
 */
export type Finding = 'UNMARKED' | 'FOREIGN' | 'AHEAD' | 'BEHIND' | 'PARTED' | 'MOVED' | 'VETOED' | 'RETIRED'

export interface Doubt {
  readonly finding: Finding
  /** What was found, in words for people: which side is older, and who wrote the other one. */
  readonly sentence: string
  /** What the bucket says instead. Null where it says nothing. */
  readonly other: Marker | null
}

/** Compares what the database knows with the newest marker. Null: they belong together. */
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

/** Restored from a dump or copied within the server. Replicas and copies of the disk keep both. */
const hasMoved = ({ systemIdentifier, databaseOid }: Installation, server: DatabaseServer): boolean =>
  (databaseOid !== null && databaseOid !== server.databaseOid) ||
  (systemIdentifier !== null && server.systemIdentifier !== null && systemIdentifier !== server.systemIdentifier)

const movedSentence = (newest: Marker) =>
  `This database was restored or copied: the original marked the bucket from another server or under another name. ${lastWriter(newest)}`

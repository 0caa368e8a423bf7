import type { ListedObject } from './listInOrder.ts'
import type { ReconciledRow } from './readRows.ts'

/** A row that the listing contradicts: to be looked at closely before anything is said of it. */
export interface Suspect {
  readonly row: ReconciledRow
  /** RETURNED: its bytes were known to be gone or damaged, and are listed as they were committed. */
  readonly suspicion: 'MISSING' | 'DIFFERENT' | 'RETURNED'
}

/** Objects against the rows of the same range. Rows that are pending or on their way out may have an object or none. */
export function comparePage(
  objects: readonly ListedObject[],
  rows: readonly ReconciledRow[],
): { readonly orphans: ListedObject[]; readonly suspects: Suspect[] } {
  const rowOf = new Map(rows.map((row) => [row.objectKey, row]))
  const orphans: ListedObject[] = []
  const suspects: Suspect[] = []
  const listed = new Set<string>()
  for (const object of objects) {
    const row = rowOf.get(object.key)
    if (!row) {
      orphans.push(object)
      continue
    }
    listed.add(row.id)
    if (row.status !== 'ready') continue
    const isSame = object.byteSize === row.byteSize && object.etag === row.etag
    if (!isSame) suspects.push({ row, suspicion: 'DIFFERENT' })
    else if (row.quarantinedAt !== null) suspects.push({ row, suspicion: 'RETURNED' })
  }
  for (const row of rows) {
    if (row.status === 'ready' && !listed.has(row.id)) suspects.push({ row, suspicion: 'MISSING' })
  }
  return { orphans, suspects }
}

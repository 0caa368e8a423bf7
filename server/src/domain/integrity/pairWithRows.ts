import type { ListedObject } from '../reconcile/listInOrder.ts'

/** A blob and the object under its key, or one of them alone. */
export interface Pair<Row> {
  readonly row: Row | null
  readonly object: ListedObject | null
}

/**
 * Merges objects in the order of their keys with blobs in the order of their ids, which is the same. Keeps one of each.
 * `folder` is what all keys of blobs begin with.
 */
export async function* pairWithRows<Row extends { readonly id: string; readonly objectKey: string }>(
  folder: string,
  objects: AsyncIterable<ListedObject>,
  rows: AsyncIterable<Row>,
): AsyncGenerator<Pair<Row>> {
  const listed = objects[Symbol.asyncIterator]()
  // Read before the rows beside it: every object has a row before anybody can make it.
  let next = await listed.next()
  for await (const row of rows) {
    const start = `${folder}${row.id}`
    let own: ListedObject | null = null
    for (; !next.done && (next.value.key < start || next.value.key.startsWith(start)); next = await listed.next()) {
      if (next.value.key === row.objectKey) own = next.value
      else yield { row: null, object: next.value }
    }
    yield { row, object: own }
  }
  for (; !next.done; next = await listed.next()) yield { row: null, object: next.value }
}

/** Arrays of at most `size`. */
export async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { ListOptions } from '../../../storage/blobStore.ts'
import { isId } from '../../ids.ts'
import { RunEnded, type SweepContext } from '../runs/recordRun.ts'

export interface ListedObject {
  readonly key: string
  readonly byteSize: number
  readonly etag: string
}

/** Some of a tenant's objects in order, and the range of blob ids to compare them with. */
export interface ListingPage {
  readonly objects: readonly ListedObject[]
  /** Null if no key contains a blob id. `from` is inclusive, `before` exclusive; null is an open end. */
  readonly rows: { readonly from: string | null; readonly before: string | null } | null
  /** Where a later listing can continue: all objects and rows before this key have been returned. Null: none yet. */
  readonly position: string | null
  /** When the listing was requested. */
  readonly askedAt: Date
  readonly isLast: boolean
}

/** More than any blob has. */
const mostObjectsOfOneBlob = 5_000

/**
 * Lists a tenant's objects page by page, from the position of an earlier listing or from the beginning. Ends the run
 * with REFUSED if the response is not a valid listing: foreign keys, or keys that do not ascend, as in a page that
 * repeats. Requests the next page while the current one is processed.
 */
export async function* listInOrder(ctx: SweepContext, position: string | null): AsyncGenerator<ListingPage> {
  const prefix = `org/${ctx.principal.tenantId}/`
  let from = position === null ? null : blobIdIn(position, prefix)
  const start = from === null ? '' : `${prefix}files/${from}`
  // The key before the first one, because an object can have the start itself as its key.
  const startAfter = start === '' ? undefined : start.slice(0, -1)
  let last = startAfter ?? ''
  let carried: ListedObject[] = []
  for (let asked = ask(ctx, { prefix, startAfter }); ;) {
    const { askedAt, answer, mayAskAgain } = asked
    const { objects, continuationToken } = await answer
    last = assertInOrder(objects, prefix, last)
    const all = [...carried, ...objects.filter(({ key }) => key >= start)]
    if (continuationToken === null) {
      yield { objects: all, rows: { from, before: null }, position: null, askedAt, isLast: true }
      return
    }
    if (objects.length === 0) throw new RunEnded('REFUSED', 'The listing goes on without naming any key.')
    await mayAskAgain
    asked = ask(ctx, { prefix, continuationToken })
    // Objects of the last blob are held back, because the next page can have more of them.
    const before = lastBlobId(all, prefix)
    const page = withoutBlob(all, before, prefix)
    carried = page.carried
    yield {
      objects: page.objects,
      rows: before === null ? null : { from, before },
      position: before === null ? null : `${prefix}files/${before}`,
      askedAt,
      isLast: false,
    }
    from = before ?? from
  }
}

const pagesPerSecond = 20
const mostKeys = 1_000

/**
 * Requests one page. A slow listing has small pages, so that each is processed without a pause. The answer can be
 * awaited later or never.
 */
export function ask({ blobs, settings, now }: Pick<SweepContext, 'blobs' | 'settings' | 'now'>, options: ListOptions) {
  const askedAt = now()
  const maxKeys = Math.min(mostKeys, Math.ceil(settings.listedPerSecond / pagesPerSecond))
  const answer = blobs.list({ ...options, maxKeys })
  answer.catch(() => undefined)
  return { askedAt, answer, mayAskAgain: sleep((1_000 * maxKeys) / settings.listedPerSecond) }
}

function withoutBlob(all: readonly ListedObject[], id: string | null, prefix: string) {
  const isCarried = ({ key }: ListedObject) => id !== null && blobIdIn(key, prefix) === id
  const carried = all.filter(isCarried)
  if (carried.length > mostObjectsOfOneBlob) throw new RunEnded('REFUSED', 'One blob has thousands of objects.')
  return { carried, objects: all.filter((object) => !isCarried(object)) }
}

/** Ends the run with REFUSED unless the keys have the prefix and ascend from `before`. Returns the last key. */
export function assertInOrder(objects: readonly ListedObject[], prefix: string, before: string): string {
  let last = before
  for (const { key } of objects) {
    if (!key.startsWith(prefix)) throw new RunEnded('REFUSED', 'The listing holds keys that were not asked for.')
    if (!isBehind(key, last)) throw new RunEnded('REFUSED', 'The listing is not in order, or repeats itself.')
    last = key
  }
  return last
}

const plain = /^[\x20-\x7e]*$/

/** In the order of UTF-8 bytes. For plain ASCII, that is the order of the strings. */
const isBehind = (key: string, other: string): boolean =>
  plain.test(key) && plain.test(other) ? key > other : Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0

/** The blob id in a key, or null. */
export function blobIdIn(key: string, prefix: string): string | null {
  const start = prefix.length + 'files/'.length
  const id = key.slice(start, start + 36)
  return key.startsWith(`${prefix}files/`) && isId(id) ? id : null
}

function lastBlobId(objects: readonly ListedObject[], prefix: string): string | null {
  const last = objects.findLast(({ key }) => blobIdIn(key, prefix) !== null)
  return last ? blobIdIn(last.key, prefix) : null
}

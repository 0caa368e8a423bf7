import { isId } from '../../ids.ts'
import { findKnownTenants } from '../../tenants/findTenant.ts'
import { ask, assertInOrder } from '../reconcile/listInOrder.ts'
import { RunEnded, type SweepContext } from '../runs/recordRun.ts'

/** A part of the bucket that belongs to no tenant of this database. */
export interface StrayPrefix {
  /** `org/<id>/` of a tenant. Otherwise the first folder of the key (`org/<folder>/` below `org/`), or the whole key. */
  readonly prefix: string
  /** The id in the prefix. Null: the objects are not named by Filegraph and must not be deleted. */
  readonly tenant: string | null
  readonly exampleKey: string
}

export interface Walk {
  /** Everything up to the end of this prefix is done. Null: nothing is done, or, after the walk, the whole bucket. */
  position: string | null
  readonly mostListings: number
}

/** The prefixes that Filegraph uses besides those of tenants: markers, vetoes and the probes of `doctor`. */
const own: ReadonlySet<string> = new Set(['filegraph/', 'filegraph-doctor/'])

/**
 * Yields, in order, the prefixes of the bucket that belong to no tenant of this database: those of unknown tenants
 * under `org/`, and all others. Lists a page of keys and continues after the prefix of its last key, so that a prefix
 * costs at most one request, whatever its size. Tenants are looked up after each page, because the row of a tenant is
 * committed before its first object can exist. Stops after `mostListings` requests and leaves its place in `position`.
 */
export async function* walkStrays(
  ctx: Pick<SweepContext, 'blobs' | 'settings' | 'now' | 'database'>,
  walk: Walk,
): AsyncGenerator<StrayPrefix> {
  for (let listings = 0; listings < walk.mostListings; listings += 1) {
    const startAfter = walk.position === null ? undefined : behind(walk.position)
    const asked = ask(ctx, { prefix: '', startAfter })
    const { objects, continuationToken } = await asked.answer
    assertInOrder(objects, '', startAfter ?? '')
    const parts = objects.map(({ key }) => partOf(key))
    const known = await findKnownTenants(ctx.database, tenantsIn(parts))
    for (const part of parts) {
      if (part.prefix === walk.position) continue
      walk.position = part.prefix
      if (own.has(part.prefix) || (part.tenant !== null && known.has(part.tenant))) continue
      yield part
    }
    if (continuationToken === null) {
      walk.position = null
      return
    }
    if (objects.length === 0) throw new RunEnded('REFUSED', 'The listing goes on without naming any key.')
    await asked.mayAskAgain
  }
}

const lastCharacter = '\u{10FFFF}'

const behind = (prefix: string) => (prefix.endsWith('/') ? `${prefix}${lastCharacter}` : prefix)

function partOf(key: string): StrayPrefix {
  const [first = '', second = '', ...rest] = key.split('/')
  if (first === 'org' && rest.length > 0) {
    return { prefix: `org/${second}/`, tenant: isId(second) ? second : null, exampleKey: key }
  }
  const isFolder = key.includes('/') && first !== 'org'
  return { prefix: isFolder ? `${first}/` : key, tenant: null, exampleKey: key }
}

const tenantsIn = (parts: readonly StrayPrefix[]) => parts.flatMap(({ tenant }) => tenant ?? [])

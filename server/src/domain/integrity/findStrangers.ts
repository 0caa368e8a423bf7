import type { TenantName } from '../tenants/findTenant.ts'
import { isId } from '../newId.ts'
import { type Finding, type IntegrityContext, violation } from './finding.ts'

const lastCharacter = '\u{10FFFF}'

/** Prefixes of the bucket that belong to no tenant: one request for each prefix, however much lies under it. */
export async function* findStrangers(
  { blobs }: IntegrityContext,
  findTenant: (id: string) => Promise<TenantName | null>,
): AsyncGenerator<Finding> {
  for (let startAfter: string | undefined; ;) {
    const { objects } = await blobs.list({ prefix: 'org/', maxKeys: 1, startAfter })
    const [first] = objects
    if (!first) return
    const [, owner = ''] = first.key.split('/')
    const prefix = `org/${owner}/`
    if (!isId(owner) || (await findTenant(owner)) === null) {
      const message = `Under "${prefix}" lie objects of no tenant, such as ${first.key}.`
      yield violation('ORPHAN', null, 'object', first.key, message)
    }
    startAfter = first.key.startsWith(prefix) ? `${prefix}${lastCharacter}` : first.key
  }
}

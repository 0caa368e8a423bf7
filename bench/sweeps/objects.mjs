import { createHash } from 'node:crypto'

/** The n-th object of a tenant, the same for rows, files on disk and listings that are made up. In the order of keys. */
export const blobIdOf = (n) => `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
export const keyOf = (tenantId, n) => `org/${tenantId}/files/${blobIdOf(n)}.txt`

export const content = Buffer.from('hello')
export const etag = createHash('md5').update(content).digest('hex')

/** One tenant per number of objects, and one for the purge. */
export const tenantOf = (name) => {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

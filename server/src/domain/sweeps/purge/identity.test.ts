import { describe, expect, it } from 'vitest'
import { type BlobStore, BlobStoreUnavailable } from '../../../storage/blobStore.ts'
import { type BlobEvidence, identifyObjects } from './gates.ts'

const tenantId = '019b0000-0000-7000-8000-00000000000a'
const id = '019b0000-0000-7000-8000-000000000001'
const objectKey = `org/${tenantId}/files/${id}.txt`

const committed = { id, objectKey, byteSize: 5, etag: '"e"' } as BlobEvidence

/** A store that holds at most one object, and writes down what it was asked. */
function storeWith(stored: { key: string; byteSize: number; etag: string } | null) {
  const asked: string[] = []
  const head = async (key: string) => {
    asked.push(key)
    return stored?.key === key ? stored : null
  }
  return { store: { head } as unknown as BlobStore, asked }
}

const identify = async (stored: Parameters<typeof storeWith>[0], change: Partial<BlobEvidence> = {}) => {
  const { store, asked } = storeWith(stored)
  const [identified] = await identifyObjects(store, tenantId, [{ ...committed, ...change }])
  return { identified, asked }
}

describe('the identity check', () => {
  it('recognises the committed object by its ETag and its size', async () => {
    expect((await identify({ key: objectKey, byteSize: 5, etag: '"e"' })).identified).toBe('SAME')
  })

  it.each([
    ['another etag', { byteSize: 5, etag: '"f"' }],
    ['another size', { byteSize: 6, etag: '"e"' }],
    ['both', { byteSize: 0, etag: '' }],
  ])('treats an object with %s as another one', async (_what, stored) => {
    expect((await identify({ key: objectKey, ...stored })).identified).toBe('ANOTHER')
  })

  it('reports a missing object', async () => {
    expect((await identify(null)).identified).toBe('ABSENT')
  })

  it('accepts any object of an upload that was never committed', async () => {
    expect((await identify({ key: objectKey, byteSize: 1, etag: '"x"' }, { etag: null })).identified).toBe('SAME')
    expect((await identify(null, { etag: null })).identified).toBe('ABSENT')
  })

  it.each([
    ['another tenant', `org/019b0000-0000-7000-8000-00000000000b/files/${id}.txt`],
    ['another blob', `org/${tenantId}/files/019b0000-0000-7000-8000-000000000002.txt`],
    ['another folder', `org/${tenantId}/exports/${id}.txt`],
    ['the root', `${id}.txt`],
    ['something in front of it', `x/${objectKey}`],
  ])('sends no request for a key under %s', async (_what, foreignKey) => {
    const there = { key: foreignKey, byteSize: 5, etag: '"e"' }
    expect(await identify(there, { objectKey: foreignKey })).toEqual({ identified: 'ANOTHER', asked: [] })
    expect((await identify(there, { objectKey: foreignKey, etag: null })).identified).toBe('ANOTHER')
  })

  it('answers in the order of the blobs', async () => {
    const { store } = storeWith({ key: objectKey, byteSize: 5, etag: '"e"' })
    const other = { ...committed, id: id.replace(/1$/, '2'), objectKey: objectKey.replace('1.txt', '2.txt') }
    const strange = { ...committed, objectKey: 'somewhere' }
    expect(await identifyObjects(store, tenantId, [other, committed, strange])).toEqual(['ABSENT', 'SAME', 'ANOTHER'])
  })

  it('rejects if one answer is missing', async () => {
    const unavailable = new BlobStoreUnavailable('no answer')
    const head = (key: string) => (key === objectKey ? Promise.reject(unavailable) : Promise.resolve(null))
    const store = { head } as unknown as BlobStore
    const other = { ...committed, id: id.replace(/1$/, '2'), objectKey: objectKey.replace('1.txt', '2.txt') }
    await expect(identifyObjects(store, tenantId, [other, committed])).rejects.toBe(unavailable)
  })
})

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { BlobStore, StoredObject } from '../../../storage/blobStore.ts'
import { ContentMismatch, UploadIncomplete } from '../../refusals.ts'
import type { Upload } from '../intents/findUploads.ts'
import { proveContent } from './proveContent.ts'

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
const few = 'few bytes'
const many = 'many bytes '.repeat(7_000)

interface Holds {
  /** The checksum that the store reports. */
  readonly confirms?: string | null
  /** The ETag that a HEAD reports. */
  readonly etag?: string
  readonly contentEncoding?: string
}

/** A store that holds one text, and counts what it is asked. */
function storeOf(text: string, { confirms = null, etag = 'a', contentEncoding }: Holds = {}) {
  const asked: string[] = []
  const labels = { contentType: 'text/plain', contentEncoding: contentEncoding ?? null }
  const stored: StoredObject = { byteSize: text.length, etag: 'a', ...labels, sha256: null }
  const store = {
    examine: async () => {
      asked.push('examine')
      const isWhole = text.length <= 65_536
      const start = Buffer.from(text.slice(0, 4_100))
      return { ...stored, sha256: isWhole ? hashOf(text) : null, isEtagOfBytes: isWhole || null, start }
    },
    head: async () => {
      asked.push('head')
      return { ...stored, etag, sha256: confirms }
    },
    hash: async () => {
      asked.push('hash')
      return { ...stored, sha256: hashOf(text), isEtagOfBytes: true }
    },
  } as unknown as BlobStore
  return { store, asked }
}

const declaring = (text: string, sha256: string | null = hashOf(text)) =>
  ({ byteSize: text.length, contentType: 'text/plain', sha256 }) as Upload

describe('the checksum', () => {
  it('of few bytes is that of the bytes, declared or not', async () => {
    for (const sha256 of [hashOf(few), null]) {
      const { store, asked } = storeOf(few, { confirms: hashOf('else') })
      expect(await proveContent(store, declaring(few, sha256), 'key')).toMatchObject({ sha256: hashOf(few) })
      expect(asked).toEqual(['examine'])
    }
    const lie = declaring(few, hashOf('else'))
    await expect(proveContent(storeOf(few).store, lie, 'key')).rejects.toBeInstanceOf(ContentMismatch)
  })

  it('of many bytes is asked of the store, and found by reading them where it says nothing of these bytes', async () => {
    const confirmed = storeOf(many, { confirms: hashOf(many) })
    expect(await proveContent(confirmed.store, declaring(many), 'key')).toMatchObject({ sha256: hashOf(many) })
    expect(confirmed.asked).toEqual(['examine', 'head'])
    for (const silent of [storeOf(many), storeOf(many, { confirms: hashOf('else'), etag: 'another' })]) {
      expect(await proveContent(silent.store, declaring(many), 'key')).toMatchObject({ sha256: hashOf(many) })
      expect(silent.asked).toEqual(['examine', 'head', 'hash'])
    }
    const lie = declaring(many, hashOf('else'))
    await expect(proveContent(storeOf(many).store, lie, 'key')).rejects.toBeInstanceOf(ContentMismatch)
  })

  it('of many bytes is not computed if none was declared, or if the size is another', async () => {
    const undeclared = storeOf(many)
    expect(await proveContent(undeclared.store, declaring(many, null), 'key')).toMatchObject({ sha256: null })
    const shorter = storeOf(many)
    await expect(proveContent(shorter.store, declaring(`${many}!`), 'key')).rejects.toBeInstanceOf(ContentMismatch)
    expect([...undeclared.asked, ...shorter.asked]).toEqual(['examine', 'head', 'examine', 'examine'])
  })
})

describe('a content-encoding that nobody declared', () => {
  it.each([few, many])('refuses the bytes', async (text) => {
    const { store } = storeOf(text, { contentEncoding: 'gzip' })
    for (const sha256 of [hashOf(text), null]) {
      const proving = proveContent(store, declaring(text, sha256), 'key')
      await expect(proving).rejects.toThrow(ContentMismatch)
      await expect(proving).rejects.toThrow('content-encoding: gzip')
    }
  })
})

it('nothing is proved of what has not arrived', async () => {
  const store = { examine: async () => null } as unknown as BlobStore
  await expect(proveContent(store, declaring(few), 'key')).rejects.toBeInstanceOf(UploadIncomplete)
})

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type BlobStore,
  BlobStoreUnavailable,
  type ExaminedObject,
  type HashedObject,
  type ReadOptions,
  type StoredObject,
} from '../../../storage/blobStore.ts'
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
  it('of a small object is that of the bytes, declared or not', async () => {
    for (const sha256 of [hashOf(few), null]) {
      const { store, asked } = storeOf(few, { confirms: hashOf('else') })
      expect(await proveContent(store, declaring(few, sha256), 'key')).toMatchObject({ sha256: hashOf(few) })
      expect(asked).toEqual(['examine'])
    }
    const lie = declaring(few, hashOf('else'))
    await expect(proveContent(storeOf(few).store, lie, 'key')).rejects.toBeInstanceOf(ContentMismatch)
  })

  it('of a large object is that of the store, or of the bytes if the store reports none for them', async () => {
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

  it('of a large object is not computed if none was declared, or if the size differs', async () => {
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

it('nothing is proved for bytes that have not arrived', async () => {
  const store = { examine: async () => null } as unknown as BlobStore
  await expect(proveContent(store, declaring(few), 'key')).rejects.toBeInstanceOf(UploadIncomplete)
})

type Answers = {
  readonly examined?: readonly Partial<ExaminedObject>[]
  readonly heads?: readonly (Partial<StoredObject> | null)[]
  readonly hashes?: readonly (Partial<HashedObject> | null)[]
}

const pdf = Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1')

/** A store that answers in turn; the last answer stays. It tells what it was asked over a new connection. */
function storeThatAnswers(text: string, { examined = [{}], heads = [{}], hashes = [{}] }: Answers) {
  const askedAgain: string[] = []
  const counts = { examine: 0, head: 0, hash: 0 }
  const labels = { byteSize: text.length, etag: 'a', contentType: 'text/plain', contentEncoding: null }
  const isWhole = text.length <= 65_536
  const next = <T>(name: keyof typeof counts, answers: readonly T[], how: ReadOptions): T => {
    if (how.onNewConnection) askedAgain.push(name)
    return answers[Math.min(counts[name]++, answers.length - 1)] as T
  }
  const whole = { sha256: isWhole ? hashOf(text) : null, isEtagOfBytes: isWhole || null }
  const start = Buffer.from(text.slice(0, 4_100))
  const store = {
    examine: async (_key: string, expected: object, how: ReadOptions) => ({
      ...(expect(expected).toEqual({ byteSize: text.length, startBytes: 4_100 }), labels),
      ...whole,
      start,
      ...next('examine', examined, how),
    }),
    head: async (_key: string, how: ReadOptions) => {
      const answer = next('head', heads, how)
      return answer && { ...labels, sha256: null, ...answer }
    },
    hash: async (_key: string, how: ReadOptions) => {
      const answer = next('hash', hashes, how)
      return answer && { ...labels, sha256: hashOf(text), isEtagOfBytes: true, ...answer }
    },
  } as unknown as BlobStore
  return { store, counts, askedAgain }
}

describe('one response that nothing confirms', () => {
  const unconfirmed = { isEtagOfBytes: null }

  it('is requested again over another connection, and counts if it is the same', async () => {
    for (const sha256 of [hashOf(few), null]) {
      const { store, counts, askedAgain } = storeThatAnswers(few, { examined: [unconfirmed] })
      expect(await proveContent(store, declaring(few, sha256), 'key')).toEqual({
        etag: 'a',
        byteSize: few.length,
        sha256: hashOf(few),
        contentType: 'text/plain',
      })
      expect([counts.examine, askedAgain]).toEqual([2, ['examine']])
    }
  })

  it.each([
    ['size', { byteSize: few.length + 1 }],
    ['ETag', { etag: 'b' }],
    ['type', { contentType: 'text/html' }],
    ['encoding', { contentEncoding: 'gzip' }],
    ['content', { sha256: hashOf('else') }],
    ['start', { start: Buffer.from('few bytez') }],
  ])('decides nothing if the other one has another %s', async (_what, difference) => {
    for (const examined of [
      [unconfirmed, { ...unconfirmed, ...difference }],
      [{ ...unconfirmed, ...difference }, unconfirmed],
    ]) {
      const { store } = storeThatAnswers(few, { examined })
      await expect(proveContent(store, declaring(few), 'key')).rejects.toBeInstanceOf(BlobStoreUnavailable)
    }
  })

  it('is not needed once a second one confirms itself', async () => {
    const examined = [{ byteSize: 1, isEtagOfBytes: null }, { isEtagOfBytes: true }]
    const { store } = storeThatAnswers(few, { examined })
    expect(await proveContent(store, declaring(few), 'key')).toMatchObject({ sha256: hashOf(few) })
  })

  it('that contradicts its ETag proves a declared hash, and records no hash of its own', async () => {
    const examined = [{ isEtagOfBytes: false }]
    const declared = await proveContent(storeThatAnswers(few, { examined }).store, declaring(few), 'key')
    const undeclared = await proveContent(storeThatAnswers(few, { examined }).store, declaring(few, null), 'key')
    expect([declared.sha256, undeclared.sha256]).toEqual([hashOf(few), null])
  })
})

describe('the properties that the store keeps with the bytes', () => {
  it.each([
    [{ contentType: 'text/html' }, 'under another type'],
    [{ byteSize: 3 }, 'The content has 3 bytes, not 9 as declared.'],
    [{ contentEncoding: 'x'.repeat(60) }, `"content-encoding: ${'x'.repeat(40)}"`],
    [{ sha256: hashOf('else') }, 'another SHA-256 than declared'],
  ])('refuse the bytes if they differ from the declaration: %o', async (difference, words) => {
    const { store } = storeThatAnswers(few, { examined: [difference] })
    const proving = proveContent(store, declaring(few), 'key')
    await expect(proving).rejects.toThrow(ContentMismatch)
    await expect(proving).rejects.toThrow(words)
  })

  it('can add parameters to the type', async () => {
    const { store } = storeThatAnswers(few, { examined: [{ contentType: 'text/plain; charset=utf-8' }] })
    expect(await proveContent(store, declaring(few), 'key')).toMatchObject({ contentType: 'text/plain' })
  })
})

describe('a large object', () => {
  const confirmed = { sha256: hashOf(many) }

  it.each([
    ['size', { byteSize: 1 }],
    ['ETag', { etag: 'b' }],
    ['type', { contentType: 'text/html' }],
    ['encoding', { contentEncoding: 'gzip' }],
  ])('is read if the HEAD reports another %s', async (_what, difference) => {
    const { store, counts } = storeThatAnswers(many, { heads: [{ ...confirmed, ...difference }] })
    expect(await proveContent(store, declaring(many), 'key')).toMatchObject({ sha256: hashOf(many) })
    expect(counts).toEqual({ examine: 1, head: 1, hash: 1 })
  })

  it('is read if a HEAD finds nothing, and has not arrived if the read finds nothing either', async () => {
    const found = storeThatAnswers(many, { heads: [null] })
    expect(await proveContent(found.store, declaring(many), 'key')).toMatchObject({ sha256: hashOf(many) })
    const gone = storeThatAnswers(many, { heads: [null], hashes: [null] })
    await expect(proveContent(gone.store, declaring(many), 'key')).rejects.toBeInstanceOf(UploadIncomplete)
  })

  it.each([[{ etag: 'b' }], [{ byteSize: 1 }]])('that changed during the read is read again: %o', async (other) => {
    const { store, counts, askedAgain } = storeThatAnswers(many, { hashes: [other, {}] })
    expect(await proveContent(store, declaring(many), 'key')).toMatchObject({ sha256: hashOf(many) })
    expect([counts.hash, askedAgain]).toEqual([2, ['examine', 'head', 'hash']])
  })

  it('without a declared checksum is requested again if the HEAD does not confirm it', async () => {
    const { store, counts } = storeThatAnswers(many, { heads: [{ etag: 'b' }] })
    expect(await proveContent(store, declaring(many, null), 'key')).toMatchObject({ sha256: null })
    expect(counts).toEqual({ examine: 2, head: 2, hash: 0 })
  })
})

describe('the type that the first bytes prove', () => {
  const declaredText = { ...declaring(many), name: 'paper.txt' }

  it('replaces a guessed type after a second reading, if not all bytes were read', async () => {
    const { store, counts } = storeThatAnswers(many, { examined: [{ start: pdf }], heads: [{ sha256: hashOf(many) }] })
    expect(await proveContent(store, declaredText, 'key')).toMatchObject({ contentType: 'application/pdf' })
    expect(counts.examine).toBe(2)
  })

  it('needs no second reading if all bytes were read', async () => {
    const { store, counts } = storeThatAnswers(few, { examined: [{ start: pdf }] })
    const upload = { ...declaring(few), name: 'paper.txt' }
    expect(await proveContent(store, upload, 'key')).toMatchObject({ contentType: 'application/pdf' })
    expect(counts.examine).toBe(1)
  })
})

import { randomUUID } from 'node:crypto'
import { ListObjectsV2Command, PutObjectCommand, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { isCeph } from './testing/isCeph.ts'
import { statusOf, type S3Scene } from './testing/s3Requests.ts'
import { trickyKeys } from './testing/trickyKeys.ts'

/** S3's order: by the bytes of UTF-8. */
const inByteOrder = (keys: Iterable<string>) => [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

export function describeListing(scene: () => S3Scene): void {
  const put = (Key: string) =>
    scene().client.send(new PutObjectCommand({ Bucket: scene().target.bucket, Key, Body: Key }))
  const page = (input: Partial<ListObjectsV2CommandInput>) =>
    scene().client.send(new ListObjectsV2Command({ Bucket: scene().target.bucket, ...input }))

  async function listAll(input: Partial<ListObjectsV2CommandInput>) {
    const keys: string[] = []
    const prefixes: string[] = []
    let ContinuationToken: string | undefined
    do {
      const answer = await page({ ...input, ContinuationToken })
      const found = [...(answer.Contents ?? []), ...(answer.CommonPrefixes ?? [])]
      expect(found.length).toBe(answer.KeyCount)
      expect(found.length).toBeLessThanOrEqual(input.MaxKeys ?? 1000)
      keys.push(...(answer.Contents ?? []).map(({ Key }) => Key!))
      prefixes.push(...(answer.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!))
      ContinuationToken = answer.NextContinuationToken
      expect(answer.IsTruncated).toBe(ContinuationToken !== undefined)
    } while (ContinuationToken !== undefined)
    return { keys, prefixes }
  }

  describe('a listing', () => {
    it('contains every key once, in the order of UTF-8 bytes, with any page size', async () => {
      const one = fc.array(trickyKeys, { minLength: 1, maxLength: 8 })
      await fc.assert(
        fc.asyncProperty(one, fc.integer({ min: 1, max: 4 }), async (names, MaxKeys) => {
          const Prefix = `${scene().prefix}order/${randomUUID()}/`
          const keys = new Set(names.map((name) => Prefix + name))
          for (const key of keys) await put(key)
          expect((await listAll({ Prefix, MaxKeys })).keys).toEqual(inByteOrder(keys))
        }),
        { numRuns: 15 },
      )
    })

    describe('of a small tree', () => {
      const names = ['a', 'a/', 'a/1', 'a/2', 'a/b/3', 'a0', 'b//c', 'b/d', 'z', '\uffee', '🎉', '🎉/x']
      let root = ''
      beforeAll(async () => {
        root = `${scene().prefix}tree/`
        for (const name of names) await put(root + name)
      })
      const within = async (input: Partial<ListObjectsV2CommandInput>) => {
        const { keys, prefixes } = await listAll({ ...input, Prefix: root + (input.Prefix ?? '') })
        const strip = (all: string[]) => all.map((text) => text.slice(root.length))
        return { keys: strip(keys), prefixes: strip(prefixes) }
      }

      it.each([1, 2, 3, 1000])('groups keys at a delimiter, in pages of %i', async (MaxKeys) => {
        expect(await within({ Delimiter: '/', MaxKeys })).toEqual({
          keys: ['a', 'a0', 'z', '\uffee', '🎉'],
          prefixes: ['a/', 'b/', '🎉/'],
        })
        expect(await within({ Prefix: 'a/', Delimiter: '/', MaxKeys })).toEqual({
          keys: ['a/', 'a/1', 'a/2'],
          prefixes: ['a/b/'],
        })
      })

      it('starts after a key, which can be missing', async () => {
        expect((await within({ StartAfter: `${root}b/` })).keys).toEqual(['b//c', 'b/d', 'z', '\uffee', '🎉', '🎉/x'])
        expect((await within({ StartAfter: `${root}z` })).keys).toEqual(['\uffee', '🎉', '🎉/x'])
        expect((await within({ StartAfter: `${root}🎉/x` })).keys).toEqual([])
      })

      it('escapes names like URLs on request', async () => {
        const { Contents = [], EncodingType } = await page({ Prefix: `${root}🎉`, EncodingType: 'url' })
        expect(EncodingType).toBe('url')
        expect(Contents.map(({ Key }) => decodeURIComponent(Key!))).toEqual([`${root}🎉`, `${root}🎉/x`])
      })

      it('reports size, ETag and time', async () => {
        const [first] = (await page({ Prefix: `${root}z` })).Contents ?? []
        expect(first).toMatchObject({ Size: root.length + 1, ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/) })
        expect(Math.abs(Date.now() - first!.LastModified!.getTime())).toBeLessThan(15 * 60_000)
      })
    })

    it('of nothing is empty', async () => {
      expect(await page({ Prefix: `${scene().prefix}nothing/` })).toMatchObject({ KeyCount: 0, IsTruncated: false })
    })

    it('of a negative size is refused, or has the default size', async () => {
      expect(await statusOf(page({ MaxKeys: -1 }))).toBe(isCeph ? 200 : 400)
    })
  })
}

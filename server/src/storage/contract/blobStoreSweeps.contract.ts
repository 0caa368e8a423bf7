import { createHash, randomUUID } from 'node:crypto'
import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BlobStore, UploadMarker } from '../blobStore.ts'
import { type BucketOptions, escapePath } from '../bucketAddress.ts'
import { createS3BlobStore } from '../s3/s3BlobStore.ts'
import { isCeph } from './testing/isCeph.ts'
import { createClient, statusOf } from './testing/s3Requests.ts'

const bytes = (content: string) => new TextEncoder().encode(content)
const hex = (content: string) => createHash('sha256').update(content).digest('hex')
const type = { contentType: 'text/plain' }
const inByteOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/**
 * What the sweeps and the markers in a bucket build upon, asked of any bucket through `BlobStore`. The target is asked
 * for when the tests run. Works under a prefix of its own and removes what it wrote.
 */
export function describeBlobStoreSweeps(bucketName: string, target: () => BucketOptions): void {
  describe(`blob store sweeps contract: ${bucketName}`, () => {
    const root = `sweeps/${randomUUID()}/`
    let store: BlobStore
    let client: S3Client
    const newKey = () => `${root}${randomUUID()}`

    beforeAll(() => {
      store = createS3BlobStore(target())
      client = createClient(target())
    })
    afterAll(async () => {
      const { objects } = await store.list({ prefix: root })
      await store.delete(objects.map(({ key }) => key))
      store.close()
      client.destroy()
    })

    describe('a listing that starts after a key', () => {
      const prefix = `${root}behind/`
      // Some need escapes in a URL; in UTF-16 order the emoji would stand before the full-width tilde.
      const names = ['a', 'a b', 'a%2Fb', 'a&b=c', 'a+b', 'a/b', 'a?b#c', 'aé', 'z', '～', '🎉']
      const keys = names.map((name) => prefix + name).sort(inByteOrder)
      beforeAll(async () => {
        for (const key of keys) await store.write(key, bytes(key), type)
      })
      const keysOf = async (more: { startAfter?: string; maxKeys?: number; continuationToken?: string }) =>
        (await store.list({ prefix, ...more })).objects.map(({ key }) => key)

      it('contains the keys strictly after it, for all characters', async () => {
        for (const [index, startAfter] of keys.entries()) {
          expect(await keysOf({ startAfter })).toEqual(keys.slice(index + 1))
        }
      })

      it('can start after a missing key, and before the first one', async () => {
        expect(await keysOf({ startAfter: `${prefix}b` })).toEqual(keys.filter((key) => key > `${prefix}b`))
        expect(await keysOf({ startAfter: prefix })).toEqual(keys)
        expect(await keysOf({ startAfter: '' })).toEqual(keys)
        expect(await keysOf({ startAfter: `${prefix}\u{10ffff}` })).toEqual([])
      })

      it('continues in pages, where only the token counts', async () => {
        const page = await store.list({ prefix, startAfter: keys[1]!, maxKeys: 3 })
        expect(page.objects.map(({ key }) => key)).toEqual(keys.slice(2, 5))
        const continuationToken = page.continuationToken!
        expect(await keysOf({ continuationToken, startAfter: keys[8]! })).toEqual(keys.slice(5))
      })
    })

    describe('a small object of the server', () => {
      it('is stored, and replaced by the next', async () => {
        const key = newKey()
        expect(await store.write(key, bytes('first'), { contentType: 'application/json' })).toBe('WRITTEN')
        expect(await store.head(key)).toMatchObject({ byteSize: 5, contentType: 'application/json' })
        expect((await store.hash(key))?.sha256).toBe(hex('first'))
        expect(await store.write(key, bytes('second'), type)).toBe('WRITTEN')
        expect((await store.hash(key))?.sha256).toBe(hex('second'))
      })

      it('with the condition to create keeps an existing object', async () => {
        const key = newKey()
        expect(await store.write(key, bytes('first'), { ...type, onlyIf: 'ABSENT' })).toBe('WRITTEN')
        expect(await store.write(key, bytes('other'), { ...type, onlyIf: 'ABSENT' })).toBe('PRESENT')
        expect((await store.hash(key))?.sha256).toBe(hex('first'))
      })

      it('with the condition to create is written by exactly one of many', async () => {
        const key = newKey()
        const contents = Array.from({ length: 8 }, (_, index) => `content ${index}`)
        const answers = await Promise.all(
          contents.map((content) => store.write(key, bytes(content), { ...type, onlyIf: 'ABSENT' })),
        )
        const winners = contents.filter((_, index) => answers[index] === 'WRITTEN')
        expect(winners).toHaveLength(1)
        expect((await store.hash(key))?.sha256).toBe(hex(winners[0]!))
      })

      it('can be empty or have 65,536 bytes, and not one more', async () => {
        for (const size of [0, 65_536]) {
          const key = newKey()
          expect(await store.write(key, new Uint8Array(size), type)).toBe('WRITTEN')
          expect(await store.head(key)).toMatchObject({ byteSize: size })
        }
        const key = newKey()
        await expect(store.write(key, new Uint8Array(65_537), type)).rejects.toBeInstanceOf(RangeError)
        expect(await store.head(key)).toBeNull()
      })
    })

    describe('unfinished uploads', () => {
      const prefix = `${root}uploads/`
      const names = ['a', 'a b+c', 'a/b', '%2F&é', '～', '🎉']
      const keys = names.map((name) => prefix + name).sort(inByteOrder)
      const begun: UploadMarker[] = []
      async function begin(key: string): Promise<UploadMarker> {
        const command = new CreateMultipartUploadCommand({ Bucket: target().bucket, Key: key })
        const { UploadId } = await client.send(command)
        return { key, uploadId: UploadId! }
      }
      beforeAll(async () => {
        for (const key of [...keys].reverse()) begun.push(await begin(key))
        for (let more = 0; more < 2; more += 1) begun.push(await begin(keys[1]!))
      })
      afterAll(async () => {
        for (const { key, uploadId } of begun) await store.abortUpload(key, uploadId)
      })

      it('are listed, several of one key too, each with its start time', async () => {
        const page = await store.listUnfinishedUploads(prefix)
        expect(page.next).toBeNull()
        const byId = (all: readonly UploadMarker[]) => all.map(({ uploadId, key }) => `${uploadId} ${key}`).toSorted()
        // Ceph escapes the keys and does not say so. Ours are plain.
        const expected = isCeph ? begun.map((one) => ({ ...one, key: escapePath(one.key) })) : begun
        expect(byId(page.uploads)).toEqual(byId(expected))
        for (const { initiated } of page.uploads) {
          expect(Math.abs(initiated.getTime() - Date.now())).toBeLessThan(15 * 60_000)
        }
      })

      it.each([1, 2, 3])('have pages of %i that together contain each once', async (size) => {
        const found: string[] = []
        for (let marker: UploadMarker | null | undefined; marker !== null;) {
          const page = await store.listUnfinishedUploads(prefix, marker, size)
          expect(page.uploads.length).toBeLessThanOrEqual(size)
          found.push(...page.uploads.map(({ uploadId }) => uploadId))
          marker = page.next
        }
        const whole = await store.listUnfinishedUploads(prefix)
        expect(found).toEqual(whole.uploads.map(({ uploadId }) => uploadId))
      })

      it('are only those under the prefix, and no objects', async () => {
        await store.write(`${prefix}object`, bytes('a'), type)
        const page = await store.listUnfinishedUploads(`${prefix}a/`)
        expect(page.uploads.map(({ key }) => key)).toEqual([`${prefix}a/b`])
        expect(await store.listUnfinishedUploads(`${prefix}object`)).toEqual({ uploads: [], next: null })
      })

      it('disappear when aborted, and aborting again succeeds', async () => {
        const [one, other] = [await begin(`${root}abort/a b+c`), await begin(`${root}abort/a b+c`)]
        await store.abortUpload(one.key, one.uploadId)
        const { uploads } = await store.listUnfinishedUploads(`${root}abort/`)
        expect(uploads.map(({ uploadId }) => uploadId)).toEqual([other.uploadId])
        await expect(store.abortUpload(one.key, one.uploadId)).resolves.toBeUndefined()
        await store.abortUpload(other.key, other.uploadId)
        const again = new AbortMultipartUploadCommand({
          Bucket: target().bucket,
          Key: other.key,
          UploadId: other.uploadId,
        })
        expect(await statusOf(client.send(again))).toBe(404)
      })

      it('refuse a page size out of range', async () => {
        for (const size of [0, -1, 1.5, 1_001]) {
          await expect(store.listUnfinishedUploads(prefix, null, size)).rejects.toBeInstanceOf(RangeError)
        }
      })
    })
  })
}

import { createHash, randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BlobStore, DownloadToSign, SignedUpload, UploadToSign } from '../blobStore.ts'

export interface OpenBlobStore {
  readonly store: BlobStore
  close(): Promise<void>
}

const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const text = (content: string) => new TextEncoder().encode(content)

/** Sends a signed upload as a browser would. */
async function send(signed: SignedUpload, body: Uint8Array, change: { url?: string; method?: string } = {}) {
  const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
  const response = await fetch(change.url ?? signed.url, { method: change.method ?? signed.method, headers, body })
  await response.arrayBuffer()
  return response.status
}

/**
 * What every bucket has to do for the rest of the system to hold, seen through `BlobStore` and through signed URLs over
 * plain HTTP. Works under a prefix of its own and removes what it wrote.
 */
export function describeBlobStore(bucketName: string, open: () => Promise<OpenBlobStore>): void {
  describe(`blob store contract: ${bucketName}`, () => {
    const root = `contract/${randomUUID()}/`
    let opened: OpenBlobStore | undefined
    let store: BlobStore
    const newKey = () => `${root}${randomUUID()}.txt`

    const sign = (upload: Partial<UploadToSign> & { key: string; byteSize: number }) =>
      store.signUpload({ contentType: 'text/plain', expiresInSeconds: 60, now: new Date(), ...upload })
    const signDownload = (download: Partial<DownloadToSign> & { key: string }) =>
      store.signDownload({
        contentDisposition: 'attachment; filename="a.txt"',
        contentType: 'text/plain',
        expiresInSeconds: 60,
        now: new Date(),
        ...download,
      })
    async function put(key: string, body: Uint8Array, contentType = 'text/plain') {
      expect(await send(await sign({ key, byteSize: body.length, contentType }), body)).toBe(200)
    }
    async function expectRefused(key: string, status: Promise<number>, statuses = [403]) {
      expect(statuses).toContain(await status)
      expect(await store.head(key)).toBeNull()
    }

    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(async () => {
      if (!opened) return
      for (let token: string | undefined | null; token !== null;) {
        const page = await store.list({ prefix: root, continuationToken: token })
        await store.delete(page.objects.map(({ key }) => key))
        token = page.continuationToken
      }
      await opened.close()
    })

    it('answers a ping', async () => {
      await expect(store.ping()).resolves.toBeUndefined()
    })

    describe('upload', () => {
      it('stores what a signed PUT sends, and reports its size, type and ETag', async () => {
        const [key, body] = [newKey(), text('hello')]
        await put(key, body, 'text/markdown; charset=utf-8')
        const stored = await store.head(key)
        expect(stored).toMatchObject({ byteSize: 5, contentType: 'text/markdown; charset=utf-8' })
        expect(stored?.etag).toMatch(/^[^"]+$/)
        expect([null, hex(body)]).toContain(stored?.sha256)
      })

      it('refuses a second PUT of the same URL, and keeps the bytes', async () => {
        const key = newKey()
        const signed = await sign({ key, byteSize: 5 })
        expect(await send(signed, text('first'))).toBe(200)
        const before = await store.head(key)
        expect(await send(signed, text('other'))).toBe(412)
        expect(await store.head(key)).toEqual(before)
        expect((await store.hash(key))?.sha256).toBe(hex(text('first')))
      })

      it('lets exactly one of many parallel PUTs win', async () => {
        const key = newKey()
        const bodies = Array.from({ length: 8 }, (_, index) => text(`body ${index}`))
        const statuses = await Promise.all(
          bodies.map(async (body) => send(await sign({ key, byteSize: body.length }), body)),
        )
        const winners = bodies.filter((_, index) => statuses[index] === 200)
        expect(winners).toHaveLength(1)
        // A store may answer 409 to a PUT that ran beside the winner's.
        expect(statuses.every((status) => [200, 409, 412].includes(status))).toBe(true)
        expect((await store.hash(key))?.sha256).toBe(hex(winners[0]!))
      })

      it('stores an empty object', async () => {
        const key = newKey()
        await put(key, new Uint8Array(0))
        expect(await store.head(key)).toMatchObject({ byteSize: 0 })
        expect(await store.readStart(key, 10)).toEqual(new Uint8Array(0))
        expect((await store.hash(key))?.sha256).toBe(hex(new Uint8Array(0)))
      })

      it('refuses another content type than the signed one, and a missing one', async () => {
        const key = newKey()
        const signed = await sign({ key, byteSize: 1 })
        const other = signed.headers.map((h) => (h.name === 'content-type' ? { ...h, value: 'text/html' } : h))
        await expectRefused(key, send({ ...signed, headers: other }, text('a')))
        const none = signed.headers.filter((h) => h.name !== 'content-type')
        await expectRefused(key, send({ ...signed, headers: none }, text('a')))
      })

      it('refuses a PUT without the condition that prevents overwriting', async () => {
        const key = newKey()
        const signed = await sign({ key, byteSize: 1 })
        const headers = signed.headers.filter((h) => h.name !== 'if-none-match')
        await expectRefused(key, send({ ...signed, headers }, text('a')))
      })

      it('refuses a body that is longer or shorter than signed', async () => {
        const key = newKey()
        const signed = await sign({ key, byteSize: 3 })
        for (const body of ['ab', 'abcd', '']) await expectRefused(key, send(signed, text(body)))
      })

      it('refuses a tampered signature, an expired URL, another method and another key', async () => {
        const key = newKey()
        const signed = await sign({ key, byteSize: 1 })
        const tampered = signed.url.replace(
          /(X-Amz-Signature=)(.)/,
          (_, start, c) => `${start}${c === '0' ? '1' : '0'}`,
        )
        await expectRefused(key, send(signed, text('a'), { url: tampered }))
        const longer = signed.url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600')
        await expectRefused(key, send(signed, text('a'), { url: longer }))
        const expired = await sign({ key, byteSize: 1, now: new Date(Date.now() - 3_600_000) })
        await expectRefused(key, send(expired, text('a')))
        await expectRefused(key, send(signed, text('a'), { method: 'POST' }), [400, 403, 405, 412, 501])
        expect((await fetch(signed.url)).status).toBe(403)
        expect((await fetch(signed.url, { method: 'DELETE' })).status).toBe(403)
        const otherKey = newKey()
        await expectRefused(otherKey, send(signed, text('a'), { url: signed.url.replace(key, otherKey) }))
        await expectRefused(key, send(signed, text('a'), { url: signed.url.replace(/\?.*/, '') }))
      })

      it('stores a body whose declared checksum is right', async () => {
        const [key, body] = [newKey(), text('true')]
        expect(await send(await sign({ key, byteSize: body.length, sha256: hex(body) }), body)).toBe(200)
        expect([null, hex(body)]).toContain((await store.head(key))?.sha256)
      })

      it('refuses a body whose declared checksum is wrong, or reports the right one or none', async () => {
        const [key, body] = [newKey(), text('false')]
        const status = await send(await sign({ key, byteSize: body.length, sha256: hex(text('else!')) }), body)
        if (status === 200) {
          expect((await store.head(key))?.sha256).toBeNull()
          expect((await store.hash(key))?.sha256).toBe(hex(body))
        } else {
          expect(status).toBe(400)
          expect(await store.head(key)).toBeNull()
        }
      })

      it('refuses a PUT without its declared checksum', async () => {
        const key = newKey()
        const signed = await sign({ key, byteSize: 1, sha256: hex(text('a')) })
        const headers = signed.headers.filter((h) => h.name !== 'x-amz-checksum-sha256')
        await expectRefused(key, send({ ...signed, headers }, text('a')))
      })

      it('accepts every character that a key can contain', async () => {
        const unit = "AZaz09-._/tenant.name_1/2026-11-21/~a b+c&d=e,f;g@h$i(j)k!l'm*n/é–你🎉.tar.gz"
        const key = `${root}${unit}`
        await put(key, text('key'))
        expect(await store.head(key)).toMatchObject({ byteSize: 3 })
        expect(await (await fetch(signDownload({ key }))).text()).toBe('key')
        expect((await store.list({ prefix: key })).objects.map((object) => object.key)).toEqual([key])
        expect(await store.delete([key])).toEqual({ failed: [] })
        expect(await store.head(key)).toBeNull()
      })
    })

    describe('download', () => {
      const key = `${root}download.txt`
      const body = text('0123456789'.repeat(1_000))
      beforeAll(() => put(key, body))

      it('returns the whole object, under the signed name and type', async () => {
        const contentDisposition = `attachment; filename="R_sum_ 100_.pdf"; filename*=UTF-8''R%C3%A9sum%C3%A9%20100%25.pdf`
        const contentType = 'text/plain; charset=utf-8'
        const response = await fetch(signDownload({ key, contentDisposition, contentType }))
        expect(response.status).toBe(200)
        expect(response.headers.get('content-disposition')).toBe(contentDisposition)
        expect(response.headers.get('content-type')).toBe(contentType)
        expect(hex(new Uint8Array(await response.arrayBuffer()))).toBe(hex(body))
      })

      it('returns a signed type with a quoted parameter, and a signed name of 2,560 bytes, unchanged', async () => {
        const contentType = 'video/mp4; codecs="avc1.42E01E,mp4a.40.2"'
        const contentDisposition = `attachment; filename="a.pdf"; filename*=UTF-8''${'%E5%B9%B4'.repeat(279)}.pdf`
        const response = await fetch(signDownload({ key, contentDisposition, contentType }))
        expect(response.headers.get('content-type')).toBe(contentType)
        expect(response.headers.get('content-disposition')).toBe(contentDisposition)
        await response.body?.cancel()
      })

      it('overrides what a client stored with its PUT, and returns the stored bytes', async () => {
        const encodedKey = newKey()
        const unsigned = [
          { name: 'cache-control', value: 'public, max-age=31536000' },
          { name: 'content-encoding', value: 'gzip' },
          { name: 'content-language', value: 'de' },
          { name: 'expires', value: 'Wed, 01 Jan 2098 00:00:00 GMT' },
          { name: 'content-disposition', value: 'inline; filename="other.html"' },
        ]
        const packed = gzipSync('packed')
        const signed = await sign({ key: encodedKey, byteSize: packed.length })
        expect(await send({ ...signed, headers: [...signed.headers, ...unsigned] }, packed)).toBe(200)
        expect(await store.head(encodedKey)).toMatchObject({ contentEncoding: 'gzip' })
        const examined = await store.examine(encodedKey, { byteSize: packed.length, startBytes: 10 })
        expect(examined).toMatchObject({ contentEncoding: 'gzip', sha256: hex(packed) })
        expect((await store.hash(encodedKey))?.sha256).toBe(hex(packed))
        for (const range of [undefined, 'bytes=0-4']) {
          const response = await fetch(signDownload({ key: encodedKey }), { headers: range ? { range } : {} })
          const { headers } = response
          expect(hex(new Uint8Array(await response.arrayBuffer()))).toBe(hex(packed.subarray(0, range ? 5 : undefined)))
          expect(headers.get('cache-control')).toBe('private, no-store')
          expect(headers.get('content-encoding')).toBe('identity')
          expect(headers.get('content-language')).toBe('und')
          expect(headers.get('content-disposition')).toBe('attachment; filename="a.txt"')
          expect(new Date(headers.get('expires') ?? '').getTime()).toBe(0)
        }
      })

      it('returns ranges', async () => {
        const response = await fetch(signDownload({ key }), { headers: { range: 'bytes=5-14' } })
        expect(response.status).toBe(206)
        expect(response.headers.get('content-range')).toBe('bytes 5-14/10000')
        expect(await response.text()).toBe('5678901234')
      })

      it('is refused if the name, the type, the key, the method or the time differs from the signed one', async () => {
        const url = signDownload({ key })
        const expired = signDownload({ key, now: new Date(Date.now() - 3_600_000) })
        const others = [
          url.replace('filename%3D%22a', 'filename%3D%22b'),
          url.replace('text%2Fplain', 'text%2Fhtml'),
          url.replace('download.txt', 'upload.txt'),
          expired,
        ]
        for (const other of others) {
          expect(other).not.toBe(url)
          expect((await fetch(other)).status).toBe(403)
        }
        expect((await fetch(url, { method: 'PUT', body: text('a') })).status).toBe(403)
        expect((await store.hash(key))?.sha256).toBe(hex(body))
      })

      it('of a missing or deleted object is a 404', async () => {
        const gone = newKey()
        expect((await fetch(signDownload({ key: gone }))).status).toBe(404)
        await put(gone, text('a'))
        await store.delete([gone])
        expect((await fetch(signDownload({ key: gone }))).status).toBe(404)
      })

      it('is refused without a signature', async () => {
        expect((await fetch(signDownload({ key }).replace(/\?.*/, ''))).status).toBe(403)
      })
    })

    describe('reading', () => {
      it('returns the first bytes, and fewer if the object is shorter', async () => {
        const key = newKey()
        await put(key, text('0123456789'))
        expect(await store.readStart(key, 4)).toEqual(text('0123'))
        expect(await store.readStart(key, 10)).toEqual(text('0123456789'))
        expect(await store.readStart(key, 4_100)).toEqual(text('0123456789'))
      })

      it('returns the start of a large object without the rest, and the hash of all of it', async () => {
        const key = newKey()
        const body = new Uint8Array(3_000_001).map((_, index) => index % 251)
        await put(key, body, 'application/octet-stream')
        expect(await store.readStart(key, 4_100)).toEqual(body.slice(0, 4_100))
        expect((await store.hash(key))?.sha256).toBe(hex(body))
      })

      it.each([0, 1, 4_100, 65_535, 65_536, 65_537, 200_000])('examines an object of %i bytes', async (byteSize) => {
        const key = newKey()
        const body = new Uint8Array(byteSize).map((_, index) => index % 251)
        await put(key, body, 'text/markdown; charset=utf-8')
        const stored = await store.head(key)
        const examined = await store.examine(key, { byteSize, startBytes: 4_100 })
        const sha256 = byteSize <= 65_536 ? hex(body) : null
        const isEtagOfBytes = byteSize <= 65_536 ? true : null
        // An examination says nothing about the age of the object and who wrote it.
        const { lastModified: _age, installation: _writer, ...facts } = stored!
        expect(examined).toEqual({ ...facts, byteSize, sha256, isEtagOfBytes, start: body.slice(0, 4_100) })
      })

      it('examines an object of another size than expected', async () => {
        const sizes = [0, 10, 65_536, 65_537]
        for (const byteSize of sizes) {
          const key = newKey()
          const body = new Uint8Array(byteSize).fill(97)
          await put(key, body)
          const { etag } = (await store.head(key))!
          for (const expected of sizes) {
            const examined = await store.examine(key, { byteSize: expected, startBytes: 100 })
            expect(examined).toMatchObject({ byteSize, etag, contentType: 'text/plain', start: body.slice(0, 100) })
            expect([null, hex(body)]).toContain(examined?.sha256)
          }
        }
      })

      it('is null for a missing object', async () => {
        const key = newKey()
        expect(await store.head(key)).toBeNull()
        for (const byteSize of [0, 10, 100_000])
          expect(await store.examine(key, { byteSize, startBytes: 10 })).toBeNull()
        expect(await store.readStart(key, 10)).toBeNull()
        expect(await store.hash(key)).toBeNull()
      })
    })

    describe('deletion', () => {
      it('accepts many keys, and missing ones too', async () => {
        const keys = [newKey(), newKey(), newKey()]
        await put(keys[0]!, text('a'))
        await put(keys[1]!, text('b'))
        expect(await store.delete(keys)).toEqual({ failed: [] })
        for (const key of keys) expect(await store.head(key)).toBeNull()
        expect(await store.delete(keys)).toEqual({ failed: [] })
        expect(await store.delete([])).toEqual({ failed: [] })
      })

      it('accepts 1,000 keys, and no more', async () => {
        const keys = Array.from({ length: 1_001 }, (_, index) => `${root}missing/${index}`)
        await expect(store.delete(keys)).rejects.toBeInstanceOf(RangeError)
        expect(await store.delete(keys.slice(1))).toEqual({ failed: [] })
      })

      it('frees the key for another upload', async () => {
        const key = newKey()
        await put(key, text('old'))
        await store.delete([key])
        await put(key, text('new'))
        expect((await store.hash(key))?.sha256).toBe(hex(text('new')))
      })
    })

    describe('listing', () => {
      const prefix = `${root}list/`
      // In UTF-16 order the emoji would stand before the full-width tilde.
      const names = ['A', 'a', 'a!b', 'a+b c', 'a-b', 'a.b', 'a/b', 'a0', 'aé', 'z', '～', '🎉']
      const inOrder = names.map((name) => prefix + name)
      const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
      beforeAll(async () => {
        for (const key of [...inOrder].reverse()) await put(key, text(key))
      })

      it('is in the order of UTF-8 bytes, with size, ETag and time', async () => {
        const page = await store.list({ prefix })
        const keys = page.objects.map(({ key }) => key)
        expect(keys).toEqual(inOrder.toSorted(byBytes))
        expect(page.continuationToken).toBeNull()
        const stored = await store.head(keys[0]!)
        expect(page.objects[0]).toMatchObject({ byteSize: stored?.byteSize, etag: stored?.etag })
        expect(Math.abs(page.objects[0]!.lastModified.getTime() - Date.now())).toBeLessThan(3_600_000)
      })

      it('has pages that together contain each key once', async () => {
        const keys: string[] = []
        let pages = 0
        for (let token: string | undefined | null; token !== null; pages += 1) {
          const page = await store.list({ prefix, maxKeys: 5, continuationToken: token })
          expect(page.objects.length).toBeLessThanOrEqual(5)
          keys.push(...page.objects.map(({ key }) => key))
          token = page.continuationToken
        }
        expect(keys).toEqual(inOrder.toSorted(byBytes))
        expect(pages).toBe(3)
      })

      it('is empty under an unused prefix', async () => {
        expect(await store.list({ prefix: `${root}nothing/` })).toEqual({ objects: [], continuationToken: null })
      })
    })
  })
}

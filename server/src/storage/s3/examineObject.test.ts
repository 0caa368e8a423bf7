import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { BlobStoreUnavailable } from '../blobStore.ts'
import { storeAnswering } from '../contract/testing/answeringStore.ts'

describe('examining', () => {
  const small = { byteSize: 3, startBytes: 10 }
  const large = { byteSize: 100_000, startBytes: 10 }
  const digest = Buffer.alloc(32, 7).toString('base64')

  it('sends one request, for the whole of a small object and for the start of a large one', async () => {
    const asked: (string | undefined)[] = []
    const store = await storeAnswering((request, response) => {
      asked.push(`${request.method} ${request.headers.range}`)
      if (!request.headers.range) response.writeHead(200, { etag: '"a"', 'content-length': 3 }).end('abc')
      else
        response
          .writeHead(206, { etag: '"a"', 'content-length': 10, 'content-range': 'bytes 0-9/100000' })
          .end('0123456789')
    })
    await store.examine('a', small)
    await store.examine('a', large)
    expect(asked).toEqual(['GET undefined', 'GET bytes=0-9'])
  })

  it('hashes what it has read whole, and ignores the checksum in the response', async () => {
    const store = await storeAnswering((request, response) => {
      const headers = { etag: '"a"', 'x-amz-checksum-sha256': digest, 'x-amz-checksum-type': 'FULL_OBJECT' }
      if (!request.headers.range) response.writeHead(200, { ...headers, 'content-length': 3 }).end('abc')
      else
        response
          .writeHead(206, { ...headers, 'content-length': 10, 'content-range': 'bytes 0-9/100000' })
          .end('0123456789')
    })
    const sha256 = createHash('sha256').update('abc').digest('hex')
    expect(await store.examine('a', small)).toMatchObject({ byteSize: 3, sha256 })
    expect(await store.examine('a', large)).toMatchObject({ byteSize: 100_000, sha256: null })
  })

  it('refuses a response that does not state the whole size, or that is of other bytes', async () => {
    for (const range of ['bytes 0-9/*', 'bytes 5-14/100000', '0-9/100000']) {
      const store = await storeAnswering((_request, response) => {
        response.writeHead(206, { etag: '"a"', 'content-length': 10, 'content-range': range }).end('0123456789')
      })
      await expect(store.examine('a', large)).rejects.toBeInstanceOf(BlobStoreUnavailable)
    }
    const short = await storeAnswering((_request, response) => {
      response.writeHead(206, { etag: '"a"', 'content-length': 3, 'content-range': 'bytes 0-2/100000' }).end('012')
    })
    await expect(short.examine('a', large)).rejects.toBeInstanceOf(BlobStoreUnavailable)
  })

  it('disconnects after more bytes than expected, even if a store ignores ranges', async () => {
    for (const expected of [small, large]) {
      const closed: Promise<unknown>[] = []
      const store = await storeAnswering((_request, response) => {
        response.writeHead(200, { 'content-length': 1_000_000_000, etag: '"a"' })
        const timer = setInterval(() => response.write(Buffer.alloc(1_000, 97)), 2)
        response.on('close', () => clearInterval(timer))
        closed.push(once(response, 'close'))
      })
      const start = new Uint8Array(10).fill(97)
      expect(await store.examine('a', expected)).toMatchObject({ byteSize: 1_000_000_000, sha256: null, start })
      await Promise.all(closed)
      expect(closed).toHaveLength(1)
    }
  })

  it('is null for a missing object, and unavailable for a missing bucket', async () => {
    let code = 'NoSuchKey'
    const store = await storeAnswering((_request, response) => {
      response.writeHead(404, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
    })
    for (const expected of [small, large]) expect(await store.examine('a', expected)).toBeNull()
    code = 'NoSuchBucket'
    for (const expected of [small, large]) {
      await expect(store.examine('a', expected)).rejects.toBeInstanceOf(BlobStoreUnavailable)
    }
  })

  it('retries after a 503', async () => {
    let asked = 0
    const store = await storeAnswering((_request, response) => {
      if (asked++ === 0) response.writeHead(503).end()
      else response.writeHead(200, { etag: '"a"', 'content-length': 3 }).end('abc')
    })
    expect(await store.examine('a', small)).toMatchObject({
      byteSize: 3,
      etag: 'a',
      start: new TextEncoder().encode('abc'),
    })
  })
})

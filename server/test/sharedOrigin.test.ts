import { once } from 'node:events'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sendRaw } from '../src/storage/contract/testing/s3Requests.ts'
import {
  type AddressedProduct,
  ask,
  intentAt,
  openAddressedProduct,
  sendAlong,
  type ServedApi,
  uploadAt,
} from './addressedProduct.ts'

let product: AddressedProduct
let api: ServedApi
let base: string
let send: ReturnType<typeof sendAlong>

beforeAll(async () => {
  product = await openAddressedProduct()
  api = await product.serve()
  base = `http://127.0.0.1:${api.port}`
  send = sendAlong({ address: base })
})
afterAll(async () => {
  await api.close()
  await product.close()
})

const incoming = () => readdirSync(join(product.folder, 'incoming'))
const policy = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"

describe('the bucket on the origin of the console', () => {
  it('sends every response, refusals too, so that its content cannot act on the origin', async () => {
    const { get, put } = await uploadAt(send, base, product.key)
    const cookie = `filegraph_session=${'S'.repeat(43)}`
    const answers = [
      await send(get, { headers: { cookie, accept: 'text/html' } }),
      await send(get, { method: 'HEAD' }),
      await send(`${get}0`),
      await send(put, { method: 'PUT' }),
      await send(`${base}/bucket`, { headers: { accept: 'text/html' } }),
      await send(`${base}/bucket/`, { headers: { accept: 'text/html' } }),
      await send(`${base}/bucket/index.html`, { headers: { accept: 'text/html' } }),
      await send(`${base}/bucket/%E0%A4%A`, { headers: { accept: 'text/html' } }),
      await send(`${base}/bucket/filegraph/x`, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } }),
      await send(get, { method: 'DELETE' }),
      await send(get, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 403, 403, 403, 403, 403, 400, 400, 405, 405])
    for (const { headers, text } of answers) {
      expect(headers).toMatchObject({
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'cross-origin',
        'referrer-policy': 'no-referrer',
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      })
      expect(headers['set-cookie']).toBeUndefined()
      expect(headers['service-worker-allowed']).toBeUndefined()
      expect(text).not.toMatch(/<html|<!doctype/i)
    }
  })

  it('answers only signed URLs of single objects', async () => {
    const { get } = await uploadAt(send, base, product.key)
    for (const path of ['/bucket/filegraph', '/bucket/filegraph?list-type=2', '/bucket/filegraph?cors']) {
      expect((await send(`${base}${path}`)).code).toBe('AccessDenied')
    }
    const unsigned = get.slice(0, get.indexOf('?'))
    expect((await send(unsigned)).code).toBe('AccessDenied')
    expect((await send(unsigned, { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } })).code).toBe(
      'AccessDenied',
    )
    for (const name of ['response-content-type=text/html', 'response-content-disposition=inline']) {
      expect((await send(`${get}&${name}`)).status).toBeGreaterThanOrEqual(400)
      expect((await send(get.replace(new RegExp(`${name.split('=')[0]}=[^&]*`), name))).code).toBe(
        'SignatureDoesNotMatch',
      )
    }
  })

  it.each([
    ['page.html', 'text/html'],
    ['page.xhtml', 'application/xhtml+xml'],
    ['image.svg', 'image/svg+xml'],
    ['feed.xml', 'application/xml'],
    ['script.js', 'text/javascript'],
    ['style.css', 'text/css'],
    ['paper.pdf', 'application/pdf'],
    ['mail.mhtml', 'multipart/related'],
    ['data.json', 'application/json'],
  ])('serves %s as an attachment, with any requested disposition', async (name, contentType) => {
    const { get } = await uploadAt(send, base, product.key, { name, contentType, disposition: 'INLINE' })
    const { status, headers } = await send(get)
    expect([status, headers['content-disposition']]).toEqual([200, `attachment; filename="${name}"`])
    expect(headers['content-type']).not.toMatch(/html|xml|script|css/)
  })

  it.each([
    ['notes.txt', 'text/plain'],
    ['dot.png', 'image/png'],
    ['song.mp3', 'audio/mpeg'],
    ['film.webm', 'video/webm'],
  ])('shows %s inline', async (name, contentType) => {
    const { get } = await uploadAt(send, base, product.key, { name, contentType, disposition: 'INLINE' })
    expect((await send(get)).headers['content-disposition']).toBe(`inline; filename="${name}"`)
  })

  it('lets only pages of allowed origins read a response and its headers', async () => {
    const { get } = await uploadAt(send, base, product.key)
    const allowed = await send(get, { headers: { origin: 'https://app.example' } })
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example')
    expect(allowed.headers['access-control-expose-headers']).toMatch(
      /^ETag, Content-Disposition, Content-Length, Content-Range, Accept-Ranges\b/,
    )
    const other = await send(get, { headers: { origin: 'https://evil.example' } })
    expect(other.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('returns the whole object if a resumed download has changed since', async () => {
    const { get } = await uploadAt(send, base, product.key)
    const { headers } = await send(get)
    const resume = (condition: string, range = 'bytes=2-') => send(get, { headers: { range, 'if-range': condition } })
    const { etag = '', 'last-modified': date = '' } = headers
    for (const current of [etag, date]) expect(await resume(current)).toMatchObject({ status: 206, text: 'llo' })
    for (const stale of [
      '"other"',
      `W/${etag}`,
      etag.replaceAll('"', ''),
      'Thu, 01 Jan 2026 00:00:00 GMT',
      'nonsense',
    ]) {
      expect(await resume(stale)).toMatchObject({ status: 200, text: 'Hello' })
    }
    expect((await resume('"other"', 'bytes=9-')).status).toBe(200)
    expect((await resume(etag, 'bytes=9-')).status).toBe(416)
  })

  it('is logged like everything else, one line per request, without a signature', async () => {
    const { get } = await uploadAt(send, base, product.key)
    const before = product.lines.length
    await send(get, { headers: { 'x-request-id': 'trace-7' } })
    const line = () => product.lines.slice(before).map((text) => JSON.parse(text) as Record<string, unknown>)
    await expect.poll(line).toEqual([
      expect.objectContaining({
        requestId: 'trace-7',
        method: 'GET',
        status: 200,
        path: new URL(get).pathname,
        msg: 'Request',
      }),
    ])
  })
})

describe('an upload', () => {
  const gibibyte = 1024 ** 3
  const chunk = Buffer.alloc(1024 ** 2)

  it('of 1 GiB is streamed without being held in memory, for longer than the API waits for a request', async () => {
    const { url, headers } = await intentAt(send, base, product.key, {
      name: 'disk.img',
      contentType: '',
      byteSize: gibibyte,
    })
    const upload = request(url, { method: 'PUT', headers: { ...headers, 'content-length': gibibyte } })
    const answered = once(upload, 'response')
    const before = process.memoryUsage().rss
    let peak = 0
    for (let sent = 0; sent < gibibyte; sent += chunk.length) {
      if (!upload.write(chunk)) await once(upload, 'drain')
      peak = Math.max(peak, process.memoryUsage().rss)
    }
    upload.end()
    const [answer] = (await answered) as [{ statusCode: number; resume(): void }]
    answer.resume()
    expect(answer.statusCode).toBe(200)
    expect((peak - before) / 1024 ** 2).toBeLessThan(150)
    rmSync(join(product.folder, 'objects', 'from-'), { recursive: true, force: true })
    mkdirSync(join(product.folder, 'objects', 'from-'))
  }, 120_000)

  it('that is slow is accepted, where the API would time out', async () => {
    const slow = await product.serve({}, { requestMs: 100 })
    const at = `http://127.0.0.1:${slow.port}`
    const through = sendAlong({ address: at })
    const { url, headers } = await intentAt(through, at, product.key, { byteSize: 10 })
    async function* body() {
      for (let piece = 0; piece < 5; piece += 1) {
        yield Buffer.from('ab')
        await sleep(100)
      }
    }
    const answer = await through(url, { method: 'PUT', headers: { ...headers, 'content-length': '10' }, body: body() })
    expect(answer.status).toBe(200)
    await slow.close()
  })

  it('that is aborted leaves nothing', async () => {
    const { url, headers } = await intentAt(send, base, product.key, { byteSize: 1024 ** 2 * 4 })
    const upload = request(url, { method: 'PUT', headers: { ...headers, 'content-length': 1024 ** 2 * 4 } })
    upload.on('error', () => undefined)
    upload.write(chunk)
    await expect.poll(() => incoming().length).toBe(1)
    upload.destroy()
    await expect.poll(() => incoming().length).toBe(0)
    expect((await send(url.replace('PUT', 'GET'))).status).toBe(403)
  })

  it('gets 100 Continue before it sends its body, and not if it is refused', async () => {
    const { url, headers } = await intentAt(send, base, product.key, { byteSize: 5 })
    const target = new URL(url)
    const lines = [`host: ${target.host}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
    const head = (path: string) =>
      [`PUT ${path} HTTP/1.1`, ...lines, 'content-length: 5', 'expect: 100-continue', '', ''].join('\r\n')
    const socket = connect(api.port, '127.0.0.1')
    let heard = ''
    socket.on('data', (data: Buffer) => (heard += data.toString()))
    socket.write(head(`${target.pathname}${target.search}`))
    await expect.poll(() => heard).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('Hello')
    await expect.poll(() => heard).toContain('HTTP/1.1 200 OK')
    // The same connection serves the next request, of the API this time.
    heard = ''
    socket.write(`GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`)
    await expect.poll(() => heard).toContain('{"status":"ok"}')
    heard = ''
    socket.write(head(`${target.pathname}${target.search}0`))
    await expect.poll(() => heard).toMatch(/^HTTP\/1\.1 403 /)
    expect(heard).not.toContain('100 Continue')
    socket.destroy()
  })

  it('and a download are answered while the server drains, and end their connections', async () => {
    const leaving = await product.serve()
    const at = `http://127.0.0.1:${leaving.port}`
    const through = sendAlong({ address: at })
    const { url, headers } = await intentAt(through, at, product.key)
    const { get } = await uploadAt(through, at, product.key)
    leaving.drain()
    const sent = await through(url, { method: 'PUT', headers: { ...headers, 'content-length': '5' }, body: 'Hello' })
    const read = await through(get)
    expect([sent, read].map((answer) => [answer.status, answer.headers.connection])).toEqual([
      [200, 'close'],
      [200, 'close'],
    ])
    await leaving.close()
  })

  it('in progress when the server closes is finished', async () => {
    const leaving = await product.serve()
    const at = `http://127.0.0.1:${leaving.port}`
    const through = sendAlong({ address: at })
    const { url, headers } = await intentAt(through, at, product.key, { byteSize: 4 })
    let isClosing: Promise<void> | undefined
    async function* body() {
      yield Buffer.from('ab')
      await expect.poll(() => incoming().length).toBe(1)
      isClosing = leaving.close()
      await sleep(50)
      yield Buffer.from('cd')
    }
    const answer = await sendRaw(url, { method: 'PUT', headers: { ...headers, 'content-length': '4' }, body: body() })
    expect(answer.status).toBe(200)
    await isClosing
  })
})

describe('while the folder of the bucket is missing', () => {
  const readiness = async () => {
    const answer = await send(`${base}/readyz`)
    return [answer.status, (JSON.parse(answer.text) as { bucket: boolean }).bucket]
  }

  it('the product is degraded, no object is reported as missing, and everything recovers with the folder', async () => {
    const { get } = await uploadAt(send, base, product.key)
    expect(await readiness()).toEqual([200, true])
    const aside = `${product.folder}-aside`
    renameSync(product.folder, aside)
    expect(await readiness()).toEqual([200, false])
    expect(await send(get)).toMatchObject({ status: 503, code: 'ServiceUnavailable' })
    const { url, headers } = await intentAt(send, base, product.key, { byteSize: 5 })
    const refused = await send(url, { method: 'PUT', headers: { ...headers, 'content-length': '5' }, body: 'Hello' })
    expect(refused.status).toBe(503)
    const { commitUpload } = await ask(
      send,
      base,
      product.key,
      'mutation ($id: ID!) { commitUpload(input: { id: $id }) { __typename ... on Error { code } } }',
      { id: (await intentAt(send, base, product.key, { byteSize: 5 })).id },
    ).catch((error: Error) => ({ commitUpload: error.message }))
    expect(JSON.stringify(commitUpload)).toContain('SERVICE_UNAVAILABLE')
    renameSync(aside, product.folder)
    expect(await readiness()).toEqual([200, true])
    expect((await send(get)).text).toBe('Hello')
    const again = await send(url, { method: 'PUT', headers: { ...headers, 'content-length': '5' }, body: 'Hello' })
    expect(again.status).toBe(200)
  })
})

import type { RequestListener } from 'node:http'
import { expect, it } from 'vitest'
import { BlobStoreUnavailable } from '../blobStore.ts'
import { storeAnswering } from '../contract/testing/answeringStore.ts'

const object = { etag: '"a"', 'content-length': 3 }

const signedAt = (url = '') => {
  const [, year, month, day, hour, minute, second] =
    /X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(url) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

it.each([-3_600_000, 3_600_000])('signs with the time of the store if our clock is off by %i ms', async (skew) => {
  const statuses: number[] = []
  const listener: RequestListener = (request, response) => {
    const storeNow = Date.now() + skew
    const status = Math.abs(signedAt(request.url) - storeNow) < 15 * 60_000 ? 200 : 403
    statuses.push(status)
    response.sendDate = false
    response.writeHead(status, { ...(status === 200 && object), date: new Date(storeNow).toUTCString() }).end()
  }
  const store = await storeAnswering(listener)
  expect(await store.head('a')).toMatchObject({ etag: 'a' })
  expect(await store.head('a')).toMatchObject({ etag: 'a' })
  expect(statuses).toEqual([403, 200, 200])
})

it('is accepted by a store that is ten minutes ahead and does not tell its time', async () => {
  const store = await storeAnswering((request, response) => {
    const [, seconds] = /X-Amz-Expires=(\d+)/.exec(request.url ?? '') ?? []
    const isExpired = signedAt(request.url) + Number(seconds) * 1000 < Date.now() + 10 * 60_000
    response.sendDate = false
    response.writeHead(isExpired ? 403 : 200, object).end()
  })
  expect(await store.head('a')).toMatchObject({ etag: 'a' })
})

it('asks once and names the reason if the store refuses for another one', async () => {
  let asked = 0
  const store = await storeAnswering((_request, response) => {
    asked += 1
    response.writeHead(403).end('<Error><Code>AccessDenied</Code><Message>No</Message></Error>')
  })
  await expect(store.list({ prefix: '' })).rejects.toThrow('AccessDenied, HTTP 403')
  await expect(store.head('a')).rejects.toThrow('Forbidden, HTTP 403')
  expect(asked).toBe(2)
})

it('asks again after a connection that was cut, and gives up after the last attempt', async () => {
  let asked = 0
  const store = await storeAnswering((request, response) => {
    asked += 1
    if (asked % 2 === 1) request.socket.destroy()
    else response.writeHead(asked === 2 ? 200 : 503, object).end()
  })
  expect(await store.head('a')).toMatchObject({ etag: 'a' })
  expect(asked).toBe(2)
  await expect(store.head('a')).rejects.toThrow('HTTP 503')
  expect(asked).toBe(4)
})

it('gives up on an answer whose headers come in drips that keep the connection busy', async () => {
  const store = await storeAnswering((request) => {
    const drip = setInterval(() => request.socket.write('H'), 20)
    request.socket.on('close', () => clearInterval(drip))
    request.socket.write('HTTP/1.1 200 OK\r\nx: ')
  })
  const answers = await Promise.allSettled([store.head('a'), store.list({ prefix: '' }), store.readStart('a', 1)])
  for (const answer of answers) expect(answer).toMatchObject({ reason: expect.any(BlobStoreUnavailable) })
})

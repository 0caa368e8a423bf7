import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetBucketCorsCommand, PutBucketCorsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLocalBucket } from '../../embedded/bucket/startLocalBucket.ts'
import { BlobStoreUnavailable } from '../blobStore.ts'
import type { BucketOptions } from '../bucketAddress.ts'
import { applyCors } from './applyCors.ts'
import type { BucketFinding } from './bucketProbe.ts'
import { probeBucket } from './probeBucket.ts'
import { createS3BlobStore } from './s3BlobStore.ts'
import { createS3Client } from './s3Client.ts'

const origin = 'https://files.example.com'
const account = { region: 'auto', bucket: 'files', accessKeyId: 'AKTEST', secretAccessKey: 'sk-test-secret' }
const verdicts = (findings: readonly BucketFinding[]) =>
  Object.fromEntries(findings.map(({ behaviour, ok }) => [behaviour, ok]))

let directory: string
let bucket: Awaited<ReturnType<typeof startLocalBucket>>
let options: BucketOptions
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'filegraph-probe-'))
  bucket = await startLocalBucket({ directory, ...account, corsOrigins: [] })
  options = { ...account, endpoint: bucket.endpoint, forcePathStyle: true }
})
afterAll(async () => {
  await bucket.close()
  await rm(directory, { recursive: true, force: true })
})

describe('applyCors', () => {
  it('allows browsers on an origin, and the probe finds it', async () => {
    const corsOf = async () =>
      (await probeBucket(options, [origin])).filter(({ behaviour }) => /browser/.test(behaviour))
    const before = await corsOf()
    expect(before.map(({ ok }) => ok)).toEqual([false, false])
    expect(before.every(({ advice }) => advice?.includes('cors apply'))).toBe(true)
    expect(await applyCors(options, [origin])).toEqual({ origins: [origin], otherRules: 0 })
    expect((await corsOf()).map(({ ok }) => ok)).toEqual([true, true])
  })

  it('replaces its own rule and keeps other rules', async () => {
    const client = createS3Client(options)
    const theirs = { ID: 'theirs', AllowedOrigins: ['https://other.example.com'], AllowedMethods: ['GET'] }
    const CORSConfiguration = { CORSRules: [theirs] }
    await client.send(new PutBucketCorsCommand({ Bucket: 'files', CORSConfiguration }))
    await applyCors(options, ['https://first.example.com'])
    expect(await applyCors(options, [origin])).toEqual({ origins: [origin], otherRules: 1 })
    const { CORSRules = [] } = await client.send(new GetBucketCorsCommand({ Bucket: 'files' }))
    expect(CORSRules.map(({ AllowedOrigins }) => AllowedOrigins)).toEqual([theirs.AllowedOrigins, [origin]])
    client.destroy()
  })

  it.each([
    ['as cors apply wrote it', ['content-type', 'if-none-match', 'x-amz-checksum-sha256', 'range']],
    ['as the README showed it', ['content-type', 'if-none-match', 'x-amz-checksum-sha256']],
  ])('replaces the rule of 0.1.0, %s, if the store keeps no ids', async (_, AllowedHeaders) => {
    const client = createS3Client(options)
    const ExposeHeaders = AllowedHeaders.length === 3 ? ['ETag'] : ['ETag', 'Content-Range', 'Content-Disposition']
    const former = { AllowedOrigins: [origin], AllowedMethods: ['GET', 'HEAD', 'PUT'], AllowedHeaders, ExposeHeaders }
    const CORSConfiguration = { CORSRules: [former] }
    await client.send(new PutBucketCorsCommand({ Bucket: 'files', CORSConfiguration }))
    const findings = await probeBucket(options, [origin])
    const download = findings.find(({ behaviour }) => behaviour.startsWith('browser downloads'))
    expect(download).toMatchObject({ ok: false, detail: expect.stringContaining('Accept-Ranges') })
    expect(await applyCors(options, [origin])).toEqual({ origins: [origin], otherRules: 0 })
    client.destroy()
  })

  it('refuses a text that is not an origin, and reports that the store refuses', async () => {
    for (const origins of [[], ['files.example.com'], [`${origin}/`], ['null']]) {
      await expect(applyCors(options, origins)).rejects.toBeInstanceOf(RangeError)
    }
    const wrong = { ...options, secretAccessKey: 'sk-another-secret' }
    await expect(applyCors(wrong, [origin])).rejects.toBeInstanceOf(BlobStoreUnavailable)
  })
})

describe('probeBucket', () => {
  it('finds every behaviour in the local bucket, and leaves nothing behind', async () => {
    await applyCors(options, [origin])
    const findings = await probeBucket(options, [origin])
    expect(verdicts(findings)).toEqual({
      reachable: true,
      'clocks agree': true,
      'credentials accepted': true,
      'conditional upload': true,
      'content length is bound': true,
      'content type is bound': true,
      'expiry is honoured': true,
      'checksum is verified': true,
      'checksum is confirmed': true,
      'download overrides': true,
      'multipart uploads can be aborted': true,
      [`browser uploads from ${origin}`]: true,
      [`browser downloads from ${origin}`]: true,
      'objects can be deleted': true,
    })
    expect(findings.every(({ advice }) => advice === undefined)).toBe(true)
    const store = createS3BlobStore(options)
    expect((await store.list({ prefix: '' })).objects).toEqual([])
    store.close()
  })

  it('stops at wrong credentials and a missing bucket, and names the variable to correct', async () => {
    const wrong: [Partial<BucketOptions>, string][] = [
      [{ secretAccessKey: 'sk-another-secret' }, 'S3_SECRET_ACCESS_KEY'],
      [{ accessKeyId: 'AKOTHER' }, 'S3_ACCESS_KEY_ID'],
      [{ bucket: 'missing' }, 'S3_BUCKET'],
    ]
    for (const [change, variable] of wrong) {
      const findings = await probeBucket({ ...options, ...change })
      expect(findings.at(-1)).toMatchObject({ behaviour: 'credentials accepted', ok: false })
      expect(findings.at(-1)?.advice).toContain(variable)
    }
  })

  it('reports that nothing answers if nothing listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const findings = await probeBucket({ ...options, endpoint: `http://127.0.0.1:${port}` })
    expect(findings).toMatchObject([{ behaviour: 'reachable', ok: false }])
    expect(findings[0]?.detail).toContain('ECONNREFUSED')
  })

  it('finds every missing behaviour of a store that accepts everything, an hour behind', async () => {
    const server = createServer((request, response) => {
      request.resume()
      const listing = '<ListBucketResult><Name>files</Name><IsTruncated>false</IsTruncated></ListBucketResult>'
      response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString(), etag: '"a"' })
      response.end(request.method === 'GET' && request.url?.includes('list-type') ? listing : '')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const findings = await probeBucket({ ...options, endpoint: `http://127.0.0.1:${port}` }, [origin])
    const { reachable, 'credentials accepted': credentials, ...others } = verdicts(findings)
    expect([reachable, credentials]).toEqual([true, true])
    delete others['objects can be deleted']
    expect(Object.values(others).every((ok) => ok !== true)).toBe(true)
    expect(findings.filter(({ ok }) => ok === false).every(({ advice }) => advice)).toBe(true)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})

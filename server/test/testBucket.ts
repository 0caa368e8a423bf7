import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { startLocalBucket } from '../src/embedded/bucket/startLocalBucket.ts'
import type { BucketOptions } from '../src/storage/bucketAddress.ts'
import { readTarget } from '../src/storage/contract/testing/readTarget.ts'
import { createS3Client } from '../src/storage/s3/s3Client.ts'
import { startTcpProxy } from './tcpProxy.ts'

/** A separate empty bucket, to be taken away and brought back at the same address. */
export interface TestBucket {
  readonly options: BucketOptions
  /** Where the local bucket keeps its objects. Throws for one that is elsewhere. */
  readonly folder: string
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** In the local endpoint, or, with `FILEGRAPH_TEST_STORE`, in the store that `S3_*` names. */
export const startTestBucket = (now: () => Date): Promise<TestBucket> =>
  process.env['FILEGRAPH_TEST_STORE'] ? openExternalBucket() : openLocalBucket(now)

async function openLocalBucket(now: () => Date): Promise<TestBucket> {
  const folder = mkdtempSync(join(tmpdir(), 'filegraph-test-bucket-'))
  const keys = { region: 'us-east-1', accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-test-secret' }
  const localOptions = { directory: folder, bucket: 'files', now, ...keys }
  let local = await startLocalBucket(localOptions)
  const { port } = local
  return {
    options: { endpoint: local.endpoint, bucket: 'files', forcePathStyle: true, ...keys },
    folder,
    stop: () => local.close(),
    start: async () => {
      local = await startLocalBucket({ ...localOptions, port })
    },
    close: async () => {
      await local.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function openExternalBucket(): Promise<TestBucket> {
  const target = readTarget(process.env)
  if (!target) throw new Error('FILEGRAPH_TEST_STORE needs S3_ENDPOINT and its like')
  const { hostname, port } = new URL(target.endpoint)
  const door = await startTcpProxy({ host: hostname, port: Number(port) })
  const bucket = `filegraph-${randomBytes(6).toString('hex')}`
  const options = { ...target, endpoint: `http://127.0.0.1:${door.port}`, bucket }
  const client = createS3Client(options)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return {
    options,
    get folder(): string {
      throw new Error('This bucket keeps its objects elsewhere, not in a folder')
    },
    stop: async () => door.shut(),
    start: async () => door.open(),
    close: () => door.close(),
  }
}

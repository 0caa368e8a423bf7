import { randomUUID } from 'node:crypto'
import { DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe } from 'vitest'
import type { BucketOptions } from '../bucketAddress.ts'
import { describeListing } from './s3Listing.contract.ts'
import { describeMultipart } from './s3Multipart.contract.ts'
import { describeObjects } from './s3Objects.contract.ts'
import { describeSignedUrls } from './s3SignedUrls.contract.ts'
import { createClient, type S3Scene } from './testing/s3Requests.ts'

/**
 * What S3 itself does and this system builds upon, asked of any bucket through the AWS SDK and raw HTTP. The target is
 * asked for when the tests run. Works under a prefix of its own and removes what it wrote.
 */
export function describeS3Behaviours(name: string, target: () => BucketOptions): void {
  describe(`S3 behaviours: ${name}`, () => {
    const prefix = `behaviours/${randomUUID()}/`
    let opened: { target: BucketOptions; client: S3Client } | undefined
    const scene = (): S3Scene => {
      if (!opened) throw new Error('The bucket is not open yet')
      return { ...opened, prefix, newKey: () => `${prefix}${randomUUID()}` }
    }
    beforeAll(() => {
      opened = { target: target(), client: createClient(target()) }
    })
    afterAll(async () => {
      if (!opened) return
      await empty(opened.client, opened.target.bucket, prefix)
      opened.client.destroy()
    })

    describeSignedUrls(scene)
    describeObjects(scene)
    describeListing(scene)
    describeMultipart(scene)
  })
}

async function empty(client: S3Client, Bucket: string, Prefix: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }))
    if (Contents.length === 0) return
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }))
  }
}

import { expect, it } from 'vitest'
import { describeBlobStore } from '../contract/blobStore.contract.ts'
import { describeBlobStoreSweeps } from '../contract/blobStoreSweeps.contract.ts'
import { describeS3Behaviours } from '../contract/s3Behaviours.contract.ts'
import { readTarget } from '../contract/testing/readTarget.ts'
import { createS3BlobStore } from './s3BlobStore.ts'

/** With `S3_ENDPOINT` and its like set, what every bucket has to do is asked of that one. */
const target = readTarget(process.env)

it('a bucket under test is configured by the same variables as for the server', () => {
  expect(readTarget({})).toBeUndefined()
  expect(
    readTarget({ S3_ENDPOINT: 'http://s3', S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'a', S3_SECRET_ACCESS_KEY: 's' }),
  ).toEqual({
    endpoint: 'http://s3',
    bucket: 'b',
    accessKeyId: 'a',
    secretAccessKey: 's',
    region: 'us-east-1',
    forcePathStyle: true,
  })
  expect(() => readTarget({ S3_ENDPOINT: 'http://s3' })).toThrow('S3_BUCKET')
})

if (target) {
  describeS3Behaviours(target.endpoint, () => target)
  describeBlobStoreSweeps(target.endpoint, () => target)
  describeBlobStore(target.endpoint, async () => {
    const store = createS3BlobStore(target)
    return { store, close: async () => store.close() }
  })
}

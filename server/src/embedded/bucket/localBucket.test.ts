import { afterAll, beforeAll } from 'vitest'
import { describeBlobStoreSweeps } from '../../storage/contract/blobStoreSweeps.contract.ts'
import { describeS3Behaviours } from '../../storage/contract/s3Behaviours.contract.ts'
import { openTestBucket, type TestBucket } from './testing/openTestBucket.ts'

let bucket: TestBucket
beforeAll(async () => {
  bucket = await openTestBucket()
})
afterAll(() => bucket.dispose())

describeS3Behaviours('the local bucket', () => bucket.target)
describeBlobStoreSweeps('the local bucket', () => bucket.target)

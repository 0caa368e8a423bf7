import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { bucketAddress, type BucketOptions } from '../bucketAddress.ts'

/** How long the bucket may take. */
export interface S3Patience {
  readonly connectMilliseconds: number
  /** Until the head of the answer is there, and between two parts of its body. */
  readonly answerMilliseconds: number
  readonly attempts: number
  /** How long a store that gave no plain answer is not asked plainly again; 10 s by default. See `plainRequests.ts`. */
  readonly restMilliseconds?: number
}

export const usualPatience: S3Patience = { connectMilliseconds: 3_000, answerMilliseconds: 10_000, attempts: 3 }

/**
 * An SDK client that adds nothing of its own: by default the SDK sends `x-amz-checksum-crc32` and asks for checksums
 * in answers, which several stores refuse or ignore.
 */
export function createS3Client(options: BucketOptions, patience: S3Patience = usualPatience): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken } = options
  const config: S3ClientConfig = {
    endpoint: options.endpoint,
    region: options.region,
    forcePathStyle: bucketAddress(options.endpoint, options.bucket, options.forcePathStyle).isPathStyle,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    // The environment and ~/.aws of this machine have no say in where the bucket is.
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: patience.attempts,
    requestHandler: {
      connectionTimeout: patience.connectMilliseconds,
      requestTimeout: patience.answerMilliseconds,
      // Without it the SDK logs a warning when the time is over, and goes on waiting.
      throwOnRequestTimeout: true,
      socketTimeout: patience.answerMilliseconds,
    },
  }
  return new S3Client(config)
}

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { bucketAddress, type BucketOptions } from '../bucketAddress.ts'

/** Timeouts of requests to the bucket. */
export interface S3Patience {
  readonly connectMilliseconds: number
  /** The time to the response headers, and between two chunks of the body. */
  readonly answerMilliseconds: number
  readonly attempts: number
  /** The time for the whole answer to a question, with all attempts and the body. Default: 15 s. */
  readonly wholeMilliseconds?: number
}

export const usualPatience: S3Patience = { connectMilliseconds: 3_000, answerMilliseconds: 10_000, attempts: 3 }

/**
 * Creates an SDK client without default checksums. By default the SDK sends `x-amz-checksum-crc32` and requests
 * checksums, which several stores refuse or ignore.
 */
export function createS3Client(options: BucketOptions, patience: S3Patience = usualPatience): S3Client {
  const { accessKeyId, secretAccessKey, sessionToken } = options
  const config: S3ClientConfig = {
    endpoint: options.endpoint,
    region: options.region,
    forcePathStyle: bucketAddress(options.endpoint, options.bucket, options.forcePathStyle).isPathStyle,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    // The environment and ~/.aws of this machine must not change the address of the bucket.
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: patience.attempts,
    requestHandler: {
      connectionTimeout: patience.connectMilliseconds,
      requestTimeout: patience.answerMilliseconds,
      // Without it, the SDK logs a warning after the timeout and continues to wait.
      throwOnRequestTimeout: true,
      socketTimeout: patience.answerMilliseconds,
    },
  }
  return new S3Client(config)
}

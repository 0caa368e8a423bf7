/** Limits of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const maxKeyBytes = 1024
export const maxMetadataBytes = 2048
export const maxPutBytes = 5 * 1024 ** 3
export const minPartBytes = 5 * 1024 ** 2
export const maxPartNumber = 10_000
export const maxKeysPerPage = 1000
export const maxKeysPerDelete = 1000
export const maxCorsRules = 100

/** The maximum of `X-Amz-Expires`, and the tolerated clock difference of a signer. */
export const maxExpirySeconds = 604_800
export const maxSkewSeconds = 900

/** Enough for a thousand keys of a kilobyte with each character escaped, and for ten thousand parts with checksums. */
export const maxXmlBytes = 8 * 1024 ** 2
export const maxXmlDepth = 8

/** How long a client may pause while it sends a body or receives a response. */
export const idleBodyMilliseconds = 60_000
export const keepAliveMilliseconds = 60_000

/** How long the rest of a refused body is read, so that the client sees the refusal instead of a reset connection. */
export const lingerMilliseconds = 5_000
export const lingerBytes = 64 * 1024 ** 2

/** How long a stopping endpoint waits for requests in flight. */
export const closeMilliseconds = 10_000

/** A directory with more names is split. */
export const maxNamesPerRange = 1024

/** Temporary files without a request are deleted at this age. */
export const strayFileMilliseconds = 24 * 60 * 60 * 1000
export const strayFileSweepMilliseconds = 60 * 60 * 1000

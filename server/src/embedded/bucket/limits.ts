/** What S3 itself allows: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const maxKeyBytes = 1024
export const maxMetadataBytes = 2048
export const maxPutBytes = 5 * 1024 ** 3
export const minPartBytes = 5 * 1024 ** 2
export const maxPartNumber = 10_000
export const maxKeysPerPage = 1000
export const maxKeysPerDelete = 1000
export const maxCorsRules = 100

/** `X-Amz-Expires` of a signed URL, and how far a signer's clock may be off. */
export const maxExpirySeconds = 604_800
export const maxSkewSeconds = 900

/** A thousand keys of a kilobyte, each character escaped, and ten thousand parts with checksums both fit. */
export const maxXmlBytes = 8 * 1024 ** 2
export const maxXmlDepth = 8

/** How long a client may send nothing in the middle of a body, or take nothing of an answer. */
export const idleBodyMilliseconds = 60_000
export const keepAliveMilliseconds = 60_000

/** How much of a refused body is read, so that the client sees the refusal instead of a reset connection. */
export const lingerMilliseconds = 5_000
export const lingerBytes = 64 * 1024 ** 2

/** How long a stopping endpoint waits for requests in flight. */
export const closeMilliseconds = 10_000

/** A directory of objects is split in two when it holds more names than this. */
export const maxNamesPerRange = 1024

/** Temporary files that no request owns any more go after this age. */
export const strayFileMilliseconds = 24 * 60 * 60 * 1000
export const strayFileSweepMilliseconds = 60 * 60 * 1000

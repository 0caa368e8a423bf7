/** Bounds that every tenant shares. What a tenant may choose stands in its policy. */
export const limits = {
  pageRows: 20,
  maxPageRows: 100,
  /** A count beyond this is answered as "at least". */
  countedRows: 10_000,
  nodesPerRequest: 100,
  /** The text of one GraphQL request. */
  documentCharacters: 64 * 1024,
  /** The whole body of a request without credentials. */
  anonymousBodyBytes: 16 * 1024,
  /** The whole body of a request. */
  bodyBytes: 256 * 1024,
  /** Lists, objects and commas of one body, before it is parsed. */
  bodyParts: 3_000,
  searchCharacters: 200,
  /** Code points of Unicode: the bound of file systems, and at most 1,020 bytes of UTF-8. */
  fileNameCharacters: 255,
  contentTypeCharacters: 255,
  idempotencyKeyCharacters: 200,
  uploadUrlSeconds: 600,
  /** How far the clocks of our machines and of the store may differ. */
  clockSkewSeconds: 60,
  downloadUrlSeconds: 600,
  minDownloadUrlSeconds: 1,
  /** How much of the content is looked at to tell its type. */
  sniffedBytes: 4_100,
  expiredUploadsPerBatch: 100,
  /** What one verification reads of a tenant, at most; one is made each hour. A larger blob gets a run of its own. */
  verifiedBlobsPerRun: 2_000,
  verifiedBytesPerRun: 8 * 1024 ** 3,
  verifiedSecondsPerRun: 600,
  /** How long bytes with a proved SHA-256 stay unread after their commit and after each verification. */
  verifiedAfterDays: 90,
  /** A search for strays begins no further prefix after so many objects; the next run goes on behind it. */
  strayObjectsPerRun: 1_000_000,
  /** Prefixes that one search for strays looks at: of unknown tenants, and outside `org/`. */
  strayTenantsPerRun: 10_000,
  otherPrefixesPerRun: 1_000,
  strayListingsPerRun: 20_000,
  strayRunsKeptDays: 365,
  /** How many attachments of a file in use a refusal lists. */
  toldAttachments: 100,
} as const

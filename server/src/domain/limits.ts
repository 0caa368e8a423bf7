/** Limits that apply to every tenant. The policy of a tenant holds its own values. */
export const limits = {
  pageRows: 20,
  maxPageRows: 100,
  /** A larger count is reported as "at least". */
  countedRows: 10_000,
  nodesPerRequest: 100,
  /** The text of one GraphQL request. */
  documentCharacters: 64 * 1024,
  /** The whole body of a request without credentials. */
  anonymousBodyBytes: 16 * 1024,
  /** The whole body of a request. */
  bodyBytes: 256 * 1024,
  /** Lists, objects and commas of one body, counted before it is parsed. */
  bodyParts: 3_000,
  searchCharacters: 200,
  /** Unicode code points: the limit of file systems. At most 1,020 bytes of UTF-8. */
  fileNameCharacters: 255,
  contentTypeCharacters: 255,
  idempotencyKeyCharacters: 200,
  uploadUrlSeconds: 600,
  /** The tolerated difference between the clocks of our machines and of the store. */
  clockSkewSeconds: 60,
  downloadUrlSeconds: 600,
  minDownloadUrlSeconds: 1,
  /** The bytes that are read to detect the media type. */
  sniffedBytes: 4_100,
  expiredUploadsPerBatch: 100,
  /** How many tenants with work of one kind are found in a minute. */
  dueTenantsPerMinute: 5_000,
  /** The time between two heartbeats of a run, and the silence after which its worker counts as dead. */
  heartbeatSeconds: 10,
  silentRunSeconds: 60,
  /** A requested run fails when so many workers have died in it. */
  interruptionsPerRun: 3,
  /** How long a reconcile lists before it gives its lane to other tenants. */
  reconcileSecondsPerTurn: 300,
  /** The maximum that one verification of a tenant reads. One run starts each hour. A larger blob gets its own run. */
  verifiedBlobsPerRun: 2_000,
  verifiedBytesPerRun: 8 * 1024 ** 3,
  verifiedSecondsPerRun: 600,
  /** How long bytes with a verified SHA-256 are not read again. */
  verifiedAfterDays: 90,
  /** After this many objects, a search for strays starts no further prefix. The next run continues there. */
  strayObjectsPerRun: 1_000_000,
  /** The maximum number of prefixes of one search for strays: of unknown tenants, and outside `org/`. */
  strayTenantsPerRun: 10_000,
  otherPrefixesPerRun: 1_000,
  strayListingsPerRun: 20_000,
  strayRunsKeptDays: 365,
  /** The maximum number of attachments that a refusal lists. */
  toldAttachments: 100,
  /** A statement that takes longer is logged, without its parameters. */
  slowStatementMs: 1_000,
} as const

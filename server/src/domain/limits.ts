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
  /** How many of the attachments of a file in use a refusal tells. */
  toldAttachments: 100,
} as const

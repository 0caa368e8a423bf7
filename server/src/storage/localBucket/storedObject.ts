import type { ChecksumAlgorithm } from './checksums.ts'

/** Everything about an object but its bytes. Written behind them, in the same file. */
export interface ObjectRecord {
  readonly key: string
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modified: number
  /** The headers that a GET repeats, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** `x-amz-meta-*`, names without the prefix. */
  readonly metadata: Readonly<Record<string, string>>
  /** Base64; with `-<parts>` behind it when it is a checksum of checksums. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>
}

/** A part of a multipart upload; lies in the same kind of file. */
export interface PartRecord {
  readonly size: number
  readonly etag: string
  readonly modified: number
  readonly checksums: ObjectRecord['checksums']
}

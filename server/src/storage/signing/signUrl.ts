import type { DownloadToSign, SignedUpload, UploadToSign } from '../blobStore.ts'
import { bucketAddress, escapePath, escapeUri, type BucketOptions } from '../bucketAddress.ts'
import { createQuerySigner } from './sigV4Query.ts'

/*
 * A client can add headers to a signed PUT that nobody signed (`cache-control`, `content-language`, `expires`,
 * `content-encoding`), and stores keep and serve them. A download URL overrides each of them, so that a reader gets the
 * stored bytes and nothing caches them for longer than the URL works. The order is that of the names, as SigV4 wants it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
const withoutCaching = `&response-cache-control=${escapeUri('private, no-store')}`
/** `identity`: the bytes as they are, whatever encoding is stored with them. `und`: no particular language (BCP 47). */
const asStored = '&response-content-encoding=identity&response-content-language=und&response-content-type='
const alreadyExpired = `&response-expires=${escapeUri(new Date(0).toUTCString())}`

export interface UrlSigner {
  signUpload(upload: UploadToSign): SignedUpload
  signDownload(download: DownloadToSign): string
}

/** Signs URLs of one bucket, for the address that clients see, without asking anyone. */
export function createUrlSigner(options: BucketOptions): UrlSigner {
  const address = bucketAddress(options.publicEndpoint ?? options.endpoint, options.bucket, options.forcePathStyle)
  const presign = createQuerySigner(address, options.region, options)
  const hostLine = `host:${address.host}\n`
  const pathOf = (key: string) => `${address.pathPrefix}/${escapePath(key)}`

  return {
    signUpload(upload) {
      refuseBadSize(upload.byteSize)
      const { key, contentType, byteSize, expiresInSeconds, now } = upload
      const checksum = upload.sha256 === undefined ? null : base64OfHex(upload.sha256)
      const names = 'content-length;content-type;host;if-none-match'
      const lines = `content-length:${byteSize}\ncontent-type:${canonicalValue(contentType)}\n${hostLine}if-none-match:*\n`
      const url = presign({
        method: 'PUT',
        path: pathOf(key),
        query: '',
        signedHeaders: checksum === null ? names : `${names};x-amz-checksum-sha256`,
        canonicalHeaders: checksum === null ? lines : `${lines}x-amz-checksum-sha256:${checksum}\n`,
        expiresInSeconds,
        now,
      })
      return { method: 'PUT', url, headers: headersToSend(contentType, checksum) }
    },

    signDownload({ key, contentDisposition, contentType, expiresInSeconds, now }) {
      const name = `&response-content-disposition=${escapeUri(contentDisposition)}`
      const query = `${withoutCaching}${name}${asStored}${escapeUri(contentType)}${alreadyExpired}`
      const path = pathOf(key)
      return presign({
        method: 'GET',
        path,
        query,
        signedHeaders: 'host',
        canonicalHeaders: hostLine,
        expiresInSeconds,
        now,
      })
    },
  }
}

/** `host` and `content-length` are signed too, but a client derives them, and browsers forbid setting them. */
function headersToSend(contentType: string, checksum: string | null): SignedUpload['headers'] {
  const headers = [
    { name: 'content-type', value: contentType },
    { name: 'if-none-match', value: '*' },
  ]
  return checksum === null ? headers : [...headers, { name: 'x-amz-checksum-sha256', value: checksum }]
}

/** SigV4 signs a header with its runs of blanks made one. */
function canonicalValue(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new RangeError('A header value has no line breaks')
  return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
}

function base64OfHex(sha256: string): string {
  if (!/^[0-9a-f]{64}$/i.test(sha256)) throw new RangeError('A SHA-256 has 64 hex digits')
  return Buffer.from(sha256, 'hex').toString('base64')
}

function refuseBadSize(byteSize: number): void {
  if (!Number.isSafeInteger(byteSize) || byteSize < 0) throw new RangeError(`${byteSize} is not a valid object size`)
}

import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { DownloadToSign, SignedUpload, UploadToSign } from '../blobStore.ts'
import { bucketAddress, escapePath, escapeUri, type BucketOptions } from '../bucketAddress.ts'
import { createS3Client } from '../s3/s3Client.ts'
import { createQuerySigner, refuseBadExpiry } from './sigV4Query.ts'

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

const checksumHeader = 'x-amz-checksum-sha256'

export interface UrlSigner {
  signUpload(upload: UploadToSign): Promise<SignedUpload>
  signDownload(download: DownloadToSign): string
}

/**
 * Signs URLs of one bucket, for the address that clients see, without asking anyone. What grants a write is signed by the
 * SDK. A page of files signs a download a row, where the SDK takes a hundred times as long: those are signed by our own
 * code, which a test holds byte for byte to the SDK.
 */
export function createUrlSigner(options: BucketOptions): UrlSigner {
  const endpoint = options.publicEndpoint ?? options.endpoint
  const address = bucketAddress(endpoint, options.bucket, options.forcePathStyle)
  const presign = createQuerySigner(address, options.region, options)
  // Made when the first upload is signed. It never opens a connection.
  let client: S3Client | undefined

  return {
    async signUpload(upload) {
      refuseUnsendable(upload)
      client ??= createS3Client({ ...options, endpoint })
      const checksum = upload.sha256 === undefined ? null : base64OfHex(upload.sha256)
      const command = new PutObjectCommand({
        Bucket: options.bucket,
        Key: upload.key,
        ContentType: upload.contentType,
        ContentLength: upload.byteSize,
        IfNoneMatch: '*',
        ...(checksum !== null && { ChecksumSHA256: checksum }),
      })
      const url = await getSignedUrl(client, command, {
        expiresIn: upload.expiresInSeconds,
        signingDate: upload.now,
        // The presigner leaves `content-type` out unless it is named.
        signableHeaders: new Set(['content-length', 'content-type', 'host', 'if-none-match', checksumHeader]),
        // As a query parameter a checksum binds nothing: the client has to send the header.
        unhoistableHeaders: new Set([checksumHeader]),
      })
      return { method: 'PUT', url, headers: headersToSend(upload.contentType, checksum) }
    },

    signDownload({ key, contentDisposition, contentType, expiresInSeconds, now }) {
      const name = `&response-content-disposition=${escapeUri(contentDisposition)}`
      const query = `${withoutCaching}${name}${asStored}${escapeUri(contentType)}${alreadyExpired}`
      return presign({ method: 'GET', path: `${address.pathPrefix}/${escapePath(key)}`, query, expiresInSeconds, now })
    },
  }
}

/** `host` and `content-length` are signed too, but a client derives them, and browsers forbid setting them. */
function headersToSend(contentType: string, checksum: string | null): SignedUpload['headers'] {
  const headers = [
    { name: 'content-type', value: contentType },
    { name: 'if-none-match', value: '*' },
  ]
  return checksum === null ? headers : [...headers, { name: checksumHeader, value: checksum }]
}

function base64OfHex(sha256: string): string {
  if (!/^[0-9a-f]{64}$/i.test(sha256)) throw new RangeError('A SHA-256 has 64 hex digits')
  return Buffer.from(sha256, 'hex').toString('base64')
}

/** The SDK would sign these, and no client could send the request. */
function refuseUnsendable({ byteSize, contentType, expiresInSeconds }: UploadToSign): void {
  refuseBadExpiry(expiresInSeconds)
  if (!Number.isSafeInteger(byteSize) || byteSize < 0) throw new RangeError(`${byteSize} is not a valid object size`)
  if (/[\r\n\0]/.test(contentType)) throw new RangeError('A header value has no line breaks')
}

import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { DownloadToSign, SignedUpload, UploadToSign } from '../blobStore.ts'
import { bucketAddress, escapePath, escapeUri, type BucketOptions } from '../bucketAddress.ts'
import { createS3Client } from '../s3/s3Client.ts'
import { createQuerySigner, refuseBadExpiry } from './sigV4Query.ts'

/*
 * A client can add unsigned headers to a signed PUT (`cache-control`, `content-language`, `expires`,
 * `content-encoding`), and stores keep and serve them. A download URL overrides each of them, so that a reader gets the
 * stored bytes and nothing caches them for longer than the URL is valid. The parameters are sorted by name, as SigV4
 * requires. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
const withoutCaching = `&response-cache-control=${escapeUri('private, no-store')}`
/** `identity`: the bytes without any stored encoding. `und`: no particular language (BCP 47). */
const asStored = '&response-content-encoding=identity&response-content-language=und&response-content-type='
const alreadyExpired = `&response-expires=${escapeUri(new Date(0).toUTCString())}`

const checksumHeader = 'x-amz-checksum-sha256'

export interface UrlSigner {
  signUpload(upload: UploadToSign): Promise<SignedUpload>
  signDownload(download: DownloadToSign): string
}

/**
 * Signs URLs of one bucket for the address of its clients, locally. The SDK signs URLs that grant a write. A page of
 * files needs one download URL per row, for which the SDK takes a hundred times as long. Our own signer makes those,
 * and a test compares it with the SDK byte for byte.
 */
export function createUrlSigner(options: BucketOptions): UrlSigner {
  const endpoint = options.publicEndpoint ?? options.endpoint
  const address = bucketAddress(endpoint, options.bucket, options.forcePathStyle)
  const presign = createQuerySigner(address, options.region, options)
  // Created when the first upload is signed. It never opens a connection.
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
        // The presigner omits `content-type` unless it is named here.
        signableHeaders: new Set(['content-length', 'content-type', 'host', 'if-none-match', checksumHeader]),
        // As a query parameter, a checksum has no effect: the client must send the header.
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

/** `host` and `content-length` are signed too. A client derives them, and browsers forbid setting them. */
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

/** Throws for a request that no client could send, although the SDK would sign it. */
function refuseUnsendable({ byteSize, contentType, expiresInSeconds }: UploadToSign): void {
  refuseBadExpiry(expiresInSeconds)
  if (!Number.isSafeInteger(byteSize) || byteSize < 0) throw new RangeError(`${byteSize} is not a valid object size`)
  if (/[\r\n\0]/.test(contentType)) throw new RangeError('A header value has no line breaks')
}

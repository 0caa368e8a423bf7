import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { WriteOptions } from '../blobStore.ts'
import { refuseWithoutEtag, installationMetadata } from './readS3Answer.ts'
import { describeFailure, unavailable } from './s3Failure.ts'

const maxContentBytes = 65_536
const attemptsAgainstConflict = 3

/** `BlobStore.write` over S3. */
export async function writeObject(
  { client, bucket }: { readonly client: S3Client; readonly bucket: string },
  key: string,
  content: Uint8Array,
  { contentType, onlyIf, installation }: WriteOptions,
): Promise<'WRITTEN' | 'PRESENT'> {
  if (content.byteLength > maxContentBytes) throw new RangeError(`Cannot write ${content.byteLength} bytes`)
  const object = {
    Bucket: bucket,
    Key: key,
    Body: content,
    ContentType: contentType,
    ...(installation !== undefined && { Metadata: { [installationMetadata]: installation } }),
  }
  const isCreation = onlyIf === 'ABSENT'
  for (let attempt = 1; ; attempt += 1) {
    try {
      const put = new PutObjectCommand({ ...object, ...(isCreation && { IfNoneMatch: '*' }) })
      refuseWithoutEtag(await client.send(put))
      return 'WRITTEN'
    } catch (error) {
      const { status } = describeFailure(error)
      if (isCreation && status === 412) return 'PRESENT'
      if (!(isCreation && status === 409 && attempt < attemptsAgainstConflict)) throw unavailable('PutObject', error)
      // Another write or a delete ran at the same time, and the result is unknown. S3 says to retry:
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    }
  }
}

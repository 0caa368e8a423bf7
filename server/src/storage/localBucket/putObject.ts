import type { Call, Reply } from './bucket.ts'
import { checksumHeaders, checksumType, quoted, readObjectHeaders } from './objectHeaders.ts'
import { maxPutBytes } from './limits.ts'
import { readWriteCondition } from './preconditions.ts'
import { receiveBody } from './receiveBody.ts'
import { S3Error } from './s3Error.ts'
import type { ObjectRecord } from './storedObject.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export async function putObject({ bucket, request, proved }: Call): Promise<Reply> {
  const described = readObjectHeaders(request)
  const condition = readWriteCondition(request)
  // The real decision falls when the object is published; this spares the client from sending a body in vain.
  if (condition.createOnly && bucket.objects.read(request.key)) throw new S3Error('PreconditionFailed')

  const file = await bucket.objects.receive<ObjectRecord>(async (write) => {
    const { size, md5, checksums } = await receiveBody({ request, proved, maxBytes: maxPutBytes, write })
    return {
      key: request.key,
      size,
      etag: md5.toString('hex'),
      modified: bucket.now().getTime(),
      ...described,
      checksums,
    }
  })
  await bucket.objects.publish(file, condition)
  const { etag, checksums } = file.record
  return { status: 200, headers: { etag: quoted(etag), ...checksumHeaders(checksums), ...typeHeader(checksums) } }
}

function typeHeader(checksums: ObjectRecord['checksums']): Record<string, string> {
  return Object.keys(checksums).length > 0 ? { 'x-amz-checksum-type': checksumType(checksums) } : {}
}

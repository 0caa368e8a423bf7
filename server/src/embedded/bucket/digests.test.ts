import { createHash } from 'node:crypto'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type ChecksumAlgorithm,
  type ChecksumType,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { sendRaw, statusOf } from '../../storage/contract/testing/s3Requests.ts'
import { checksumAlgorithms, startChecksum } from './checksums.ts'
import { useTestBucket } from './testing/openTestBucket.ts'
import { sha256Hex, signHeaders } from './testing/signHeaders.ts'

const scene = useTestBucket()

const digest = (algorithm: 'md5' | (typeof checksumAlgorithms)[number], ...contents: (string | Buffer)[]) => {
  const running = startChecksum(algorithm)
  for (const content of contents) running.update(Buffer.from(content))
  return running.digest().toString('base64')
}

/** What the catalogue of CRCs and the standards give for the nine digits. */
const known = {
  crc32: 'cbf43926',
  crc32c: 'e3069283',
  crc64nvme: 'ae8b14860a799888',
  sha1: createHash('sha1').update('123456789').digest('hex'),
  sha256: createHash('sha256').update('123456789').digest('hex'),
}

describe.each(checksumAlgorithms)('a %s', (algorithm) => {
  const header = `x-amz-checksum-${algorithm}`
  const put = (key: string, body: string, value: string) => {
    const wanted = { method: 'PUT', key, headers: { [header]: value }, payloadHash: sha256Hex(body), time: new Date() }
    const { url, headers } = signHeaders(scene.bucket.target, wanted)
    return sendRaw(url, { method: 'PUT', headers, body })
  }

  it('equals the reference value, in one piece or in several', () => {
    const hex = (...contents: string[]) => Buffer.from(digest(algorithm, ...contents), 'base64').toString('hex')
    expect(hex('123456789')).toBe(known[algorithm])
    expect(hex('1', '2345', '6789')).toBe(known[algorithm])
  })

  it('is verified before the object is visible, stored, and returned on request', async () => {
    const value = digest(algorithm, 'content')
    expect(await put(`wrong-${algorithm}`, 'other', value)).toMatchObject({ status: 400, code: 'BadDigest' })
    expect(
      await statusOf(scene.client.send(new HeadObjectCommand({ Bucket: 'files', Key: `wrong-${algorithm}` }))),
    ).toBe(404)
    expect(await put(`right-${algorithm}`, 'content', value)).toMatchObject({
      status: 200,
      headers: { [header]: value },
    })
    const place = { Bucket: 'files', Key: `right-${algorithm}` }
    const name = `Checksum${algorithm.toUpperCase()}`
    expect(await scene.client.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }))).toMatchObject({
      [name]: value,
      ChecksumType: 'FULL_OBJECT',
    })
    expect(await scene.client.send(new HeadObjectCommand(place))).not.toHaveProperty(name)
  })

  it('of the wrong form is refused', async () => {
    for (const value of ['', 'abc', 'AAAA', digest(algorithm, 'content').replace('=', '')]) {
      expect(await put('malformed', 'content', value)).toMatchObject({ status: 400 })
    }
  })

  it.each(
    algorithm.startsWith('sha')
      ? ['COMPOSITE']
      : algorithm === 'crc64nvme'
        ? ['FULL_OBJECT']
        : ['COMPOSITE', 'FULL_OBJECT'],
  )('of a multipart upload is %s', async (type) => {
    const place = { Bucket: 'files', Key: `parts-${algorithm}-${type}` }
    const ChecksumType = type as ChecksumType
    const declared = { ChecksumAlgorithm: algorithm.toUpperCase() as ChecksumAlgorithm, ChecksumType }
    const { UploadId } = await scene.client.send(new CreateMultipartUploadCommand({ ...place, ...declared }))
    const contents = [Buffer.alloc(5 * 1024 * 1024, algorithm), Buffer.from('rest')]
    const Parts = []
    for (const [index, Body] of contents.entries()) {
      const PartNumber = index + 1
      const { ETag } = await scene.client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }))
      Parts.push({ PartNumber, ETag })
    }
    const parts = contents.map((content) => Buffer.from(digest(algorithm, content), 'base64'))
    const value = type === 'COMPOSITE' ? `${digest(algorithm, ...parts)}-2` : digest(algorithm, ...contents)
    const complete = { ...place, UploadId, MultipartUpload: { Parts } }
    const name = `Checksum${algorithm.toUpperCase()}`
    const wrong = new CompleteMultipartUploadCommand({ ...complete, [name]: digest(algorithm, 'other') })
    await expect(scene.client.send(wrong)).rejects.toMatchObject({ name: 'BadDigest' })
    await scene.client.send(new CompleteMultipartUploadCommand({ ...complete, [name]: value }))
    const head = await scene.client.send(new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }))
    expect(head).toMatchObject({ [name]: value, ChecksumType })
  })
})

describe('Content-MD5', () => {
  it('is verified', async () => {
    const put = (ContentMD5: string) =>
      scene.client.send(new PutObjectCommand({ Bucket: 'files', Key: 'md5', Body: 'content', ContentMD5 }))
    await expect(put(digest('md5', 'other'))).rejects.toMatchObject({ name: 'BadDigest' })
    await expect(put('not a digest')).rejects.toMatchObject({ name: 'InvalidDigest' })
    expect(await statusOf(scene.client.send(new HeadObjectCommand({ Bucket: 'files', Key: 'md5' })))).toBe(404)
    expect(await statusOf(put(digest('md5', 'content')))).toBe(200)
  })
})

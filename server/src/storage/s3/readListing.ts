import type { _Object, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { parseXML } from '@aws-sdk/xml-builder'
import { z } from 'zod'

/** An element without content parses as an empty string. */
const text = z.string().optional()
const object = z.object({ Key: text, Size: text, ETag: text, LastModified: text })
const listing = z.object({
  ListBucketResult: z.object({
    Name: text,
    IsTruncated: text,
    NextContinuationToken: text,
    EncodingType: text,
    /** One element parses as itself, several as an array. */
    Contents: z.union([object.array(), object.transform((only) => [only])]).optional(),
  }),
})

/**
 * Parses a ListObjectsV2 response. Throws for a document that is not one, that is cut off, or whose values have another
 * type.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export function readListing(xml: string): ListObjectsV2CommandOutput {
  const { ListBucketResult: found } = listing.parse(parseXML(xml))
  const { Name, IsTruncated, NextContinuationToken, EncodingType, Contents = [] } = found
  return {
    $metadata: {},
    Name,
    IsTruncated: readFlag(IsTruncated),
    NextContinuationToken,
    EncodingType: EncodingType === 'url' ? EncodingType : undefined,
    Contents: Contents.map(readListedObject),
  }
}

function readListedObject({ Key, Size = '', ETag, LastModified = '' }: z.infer<typeof object>): _Object {
  const time = new Date(LastModified)
  return {
    Key,
    ETag,
    Size: /^\d{1,15}$/.test(Size) ? Number(Size) : undefined,
    LastModified: Number.isNaN(time.getTime()) ? undefined : time,
  }
}

const readFlag = (flag: string | undefined) => (flag === 'true' || flag === 'false' ? flag === 'true' : undefined)

import type { Operation } from './bucket.ts'
import { element, xmlDocument } from './xml.ts'

/** The bucket is the caller's own already, which the oldest region of S3 answers with 200. */
export const createBucket: Operation = ({ bucket }) => ({ status: 200, headers: { location: `/${bucket.name}` } })

export const headBucket: Operation = ({ bucket }) => ({
  status: 200,
  headers: { 'x-amz-bucket-region': bucket.credentials.region },
})

export const listBuckets: Operation = ({ bucket }) => ({
  status: 200,
  body: xmlDocument('ListAllMyBucketsResult', [
    element('Owner', [element('ID', bucket.credentials.accessKeyId)]),
    element('Buckets', [
      element('Bucket', [element('Name', bucket.name), element('CreationDate', bucket.createdAt.toISOString())]),
    ]),
  ]),
})

/** Empty for `us-east-1`, for reasons of S3's history. */
export const getBucketLocation: Operation = ({ bucket }) => {
  const { region } = bucket.credentials
  return { status: 200, body: xmlDocument('LocationConstraint', region === 'us-east-1' ? [] : [{ markup: region }]) }
}

/** Versions are not kept. */
export const getBucketVersioning: Operation = () => ({ status: 200, body: xmlDocument('VersioningConfiguration', []) })

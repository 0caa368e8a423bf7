import type { Operation, Call, Reply } from './bucket.ts'
import { deleteBucketCors, getBucketCors, putBucketCors } from './bucketCors.ts'
import { completeUpload } from './completeUpload.ts'
import { copyObject } from './copyObject.ts'
import { deleteObject, deleteObjects, getObject, putObject } from './objectOperations.ts'
import { listObjectsV1, listObjectsV2 } from './listObjects.ts'
import { listParts, listUploads } from './listUploads.ts'
import { abortUpload, createUpload, uploadPart, uploadPartCopy } from './multipartUploads.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, queryValue, type S3Request } from './s3Request.ts'
import { element, xmlDocument } from './xml.ts'

/** The caller already owns the bucket. The oldest region of S3 answers 200 in that case. */
const createBucket: Operation = ({ bucket }) => ({ status: 200, headers: { location: `/${bucket.name}` } })

const headBucket: Operation = ({ bucket }) => ({
  status: 200,
  headers: { 'x-amz-bucket-region': bucket.credentials.region },
})

const listBuckets: Operation = ({ bucket }) => ({
  status: 200,
  body: xmlDocument('ListAllMyBucketsResult', [
    element('Owner', [element('ID', bucket.credentials.accessKeyId)]),
    element('Buckets', [
      element('Bucket', [element('Name', bucket.name), element('CreationDate', bucket.createdAt.toISOString())]),
    ]),
  ]),
})

/** Empty for `us-east-1`, for historical reasons of S3. */
const getBucketLocation: Operation = ({ bucket }) => {
  const { region } = bucket.credentials
  return { status: 200, body: xmlDocument('LocationConstraint', region === 'us-east-1' ? [] : [{ markup: region }]) }
}

/** Versioning is not supported. */
const getBucketVersioning: Operation = () => ({ status: 200, body: xmlDocument('VersioningConfiguration', []) })

/** Operations on the bucket, by the method and the subresource in the query. */
const bucketOperations: Readonly<Record<string, Operation>> = {
  PUT: createBucket,
  HEAD: headBucket,
  GET: (call) => (queryValue(call.request, 'list-type') === '2' ? listObjectsV2(call) : listObjectsV1(call)),
  'POST ?delete': deleteObjects,
  'GET ?uploads': listUploads,
  'GET ?location': getBucketLocation,
  'GET ?versioning': getBucketVersioning,
  'PUT ?cors': putBucketCors,
  'GET ?cors': getBucketCors,
  'DELETE ?cors': deleteBucketCors,
}

const objectOperations: Readonly<Record<string, Operation>> = {
  PUT: putObject,
  GET: getObject,
  HEAD: getObject,
  DELETE: deleteObject,
  'PUT ?(copy)': copyObject,
  'POST ?uploads': createUpload,
  'PUT ?uploadId': uploadPart,
  'PUT ?(copy)?uploadId': uploadPartCopy,
  'GET ?uploadId': listParts,
  'POST ?uploadId': completeUpload,
  'DELETE ?uploadId': abortUpload,
}

/**
 * Query parameters that select an operation, supported or not. Ignoring one would run another operation than requested.
 */
const subresources = new Set(
  `abac accelerate acl analytics annotation attributes cors delete encryption intelligent-tiering inventory legal-hold
  lifecycle location logging metadataConfiguration metadataTable metrics notification object-lock ownershipControls policy
  policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session tagging torrent
  uploadId uploads versionId versioning versions website`.split(/\s+/),
)

/** Finds the operation of a call and runs it. */
export async function routeRequest(call: Call): Promise<Reply> {
  const { request, bucket } = call
  if (request.bucket === '') {
    if (request.method !== 'GET') throw new S3Error('MethodNotAllowed')
    return listBuckets(call)
  }
  if (request.bucket !== bucket.name) {
    throw new S3Error(request.method === 'PUT' && request.key === '' ? 'TooManyBuckets' : 'NoSuchBucket', undefined, {
      details: { BucketName: request.bucket },
    })
  }
  const name = [request.method, subresourceOf(request)].filter((part) => part !== '').join(' ')
  const operation = (request.key === '' ? bucketOperations : objectOperations)[name]
  if (operation) return operation(call)
  throw new S3Error(name.includes(' ') || request.method === 'POST' ? 'NotImplemented' : 'MethodNotAllowed')
}

function subresourceOf(request: S3Request): string {
  const found = request.query.map(([name]) => name).filter((name) => subresources.has(name))
  // The only version of an object has this id.
  const meant = found.filter((name) => name !== 'versionId' || queryValue(request, name) !== 'null')
  if (headerValue(request, 'x-amz-copy-source') !== undefined && request.method === 'PUT') meant.push('(copy)')
  return meant
    .sort()
    .map((name) => `?${name}`)
    .join('')
}

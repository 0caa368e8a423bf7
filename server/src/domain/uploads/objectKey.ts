import { plainExtension } from '../files/fileName.ts'

/** Where a blob lies in the bucket. Nothing of a user's text gets in but a short, plain extension. */
export const objectKey = (tenantId: string, blobId: string, fileName: string): string =>
  `org/${tenantId}/files/${blobId}.${plainExtension(fileName)}`

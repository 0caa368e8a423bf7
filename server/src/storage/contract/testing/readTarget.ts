import type { BucketOptions } from '../../bucketAddress.ts'

/** The bucket that `S3_*` names; undefined without `S3_ENDPOINT`. Throws when only a part of it is there. */
export function readTarget(environment: Readonly<Record<string, string | undefined>>): BucketOptions | undefined {
  if (!environment.S3_ENDPOINT) return undefined
  const need = (name: string) => {
    const value = environment[name]
    if (!value) throw new Error(`S3_ENDPOINT is set, so ${name} has to be, too`)
    return value
  }
  return {
    endpoint: environment.S3_ENDPOINT,
    bucket: need('S3_BUCKET'),
    accessKeyId: need('S3_ACCESS_KEY_ID'),
    secretAccessKey: need('S3_SECRET_ACCESS_KEY'),
    region: environment.S3_REGION ?? 'us-east-1',
    forcePathStyle: environment.S3_FORCE_PATH_STYLE !== 'false',
  }
}

import type { TestService } from '../../../test/testService.ts'

/** The environment for a command that uses the database and the bucket of a test. */
export function environmentOf({ testDatabase, blobs, now }: TestService): Record<string, string> {
  const url = new URL(
    blobs.signDownload({
      key: 'x',
      contentDisposition: '',
      contentType: 'text/plain',
      expiresInSeconds: 60,
      now: now(),
    }),
  )
  return {
    DATABASE_URL: testDatabase.url,
    DATABASE_MIGRATION_URL: testDatabase.superuserUrl,
    S3_ENDPOINT: url.origin,
    S3_BUCKET: url.pathname.split('/')[1] ?? '',
    S3_ACCESS_KEY_ID: 'TESTKEY',
    S3_SECRET_ACCESS_KEY: 'test-secret-test-secret',
  }
}

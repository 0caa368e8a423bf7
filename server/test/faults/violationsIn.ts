import { checkIntegrity } from '../../src/domain/fsck/checkIntegrity.ts'
import type { TestService, TestTenant } from '../testService.ts'

/** What `filegraph fsck` would tell of a tenant, as lines. */
export async function violationsIn(service: TestService, tenant: TestTenant, skipsBucket = false): Promise<string[]> {
  const { database, blobs, cleanup } = service
  const ctx = { database, blobs, cleanup, now: () => service.now() }
  const found: string[] = []
  for await (const { severity, invariant, message } of checkIntegrity(ctx, {
    tenant: { id: tenant.id, slug: tenant.slug },
    skipsBucket,
  })) {
    if (severity === 'VIOLATION') found.push(`${invariant}: ${message}`)
  }
  return found
}

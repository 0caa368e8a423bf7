import { checkIntegrity, type IntegrityOptions } from '../checkIntegrity.ts'
import type { Finding, IntegrityContext } from '../finding.ts'

/** Everything that is found, for tests whose tenants are small. */
export async function findingsIn(ctx: IntegrityContext, options?: IntegrityOptions): Promise<Finding[]> {
  const found: Finding[] = []
  for await (const finding of checkIntegrity(ctx, options)) found.push(finding)
  return found
}

/** The sentences of all violations. Empty if there are none. */
export const violationsIn = async (ctx: IntegrityContext, options?: IntegrityOptions): Promise<string[]> =>
  (await findingsIn(ctx, options))
    .filter(({ severity }) => severity === 'VIOLATION')
    .map(({ invariant, message }) => `${invariant}: ${message}`)

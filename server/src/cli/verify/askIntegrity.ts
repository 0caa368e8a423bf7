import { checkIntegrity } from '../../domain/fsck/checkIntegrity.ts'
import type { IntegrityContext, Invariant } from '../../domain/fsck/finding.ts'
import { acknowledged, declared, history, inUse, purge, unchangeable } from './promises.ts'
import { type Answer, broken, ok, unproven } from './proof.ts'

/** The promise that each invariant belongs to. */
const promiseOf: Readonly<Record<Invariant, string>> = {
  BYTES: acknowledged,
  QUARANTINE: acknowledged,
  VERSION_SIZE: unchangeable,
  VERSIONS: inUse,
  FILE_AS_VERSION: declared,
  ATTACHMENT_COUNT: inUse,
  REFCOUNT: inUse,
  USAGE: acknowledged,
  LIFECYCLE: inUse,
  KEY: unchangeable,
  ORPHAN: acknowledged,
  OVERDUE: purge,
  JOURNAL: history,
  RELEASE: purge,
  BUCKET: acknowledged,
}

/** Checks the integrity once and answers for each promise from the findings. */
export function askIntegrity(ctx: IntegrityContext): (promise: string) => Promise<Answer> {
  let checked: Promise<ReadonlyMap<string, Found>> | undefined
  return async (promise) => {
    checked ??= check(ctx)
    const found = (await checked).get(promise)
    if (!found) return ok('fsck finds nothing against it')
    return broken(`fsck finds ${found.count} violations, such as: ${found.example}`)
  }
}

/** For `--skip-fsck`. */
export const integrityUnasked = (): Promise<Answer> => Promise.resolve(unproven('fsck was left out'))

interface Found {
  readonly count: number
  readonly example: string
}

async function check(ctx: IntegrityContext): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>()
  for await (const { severity, invariant, message } of checkIntegrity(ctx)) {
    if (severity !== 'VIOLATION') continue
    const promise = promiseOf[invariant]
    const before = found.get(promise)
    found.set(promise, { count: (before?.count ?? 0) + 1, example: before?.example ?? message })
  }
  return found
}

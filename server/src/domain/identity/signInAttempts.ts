import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { and, eq, gt, lte, sql } from 'drizzle-orm'
import { signInAttempts } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import { RateLimited } from '../refusals.ts'
import { signInFailuresPerAddress, signInFailuresPerEmail, signInWindowSeconds } from './limits.ts'

export interface Attempt {
  readonly email: string
  /** The client's network address; null when it is not known. */
  readonly address: string | null
}

/**
 * Counts an attempt before its password is looked at: so many tries at once, on however many processes, still get no more
 * guesses than the limit. `forgiveAttempt` takes a success back. Rejects with `RateLimited`.
 */
export async function countAttempt(services: Pick<Context, 'database' | 'now'>, attempt: Attempt): Promise<void> {
  const now = services.now()
  const windowStart = new Date(now.getTime() - signInWindowSeconds * 1000)
  // In one order for everybody, so that two attempts cannot wait for each other.
  const counted = countedSubjects(attempt).toSorted((one, other) => one.subject.compare(other.subject))
  const isOver = lte(signInAttempts.windowStartedAt, windowStart)
  const rows = await services.database.lookUp((db) =>
    db
      .insert(signInAttempts)
      .values(counted.map(({ subject }) => ({ subject, failures: 1, windowStartedAt: now })))
      .onConflictDoUpdate({
        target: signInAttempts.subject,
        set: {
          failures: sql`case when ${isOver} then 1 else ${signInAttempts.failures} + 1 end`,
          windowStartedAt: sql`case when ${isOver} then excluded.window_started_at else ${signInAttempts.windowStartedAt} end`,
        },
      })
      .returning(),
  )
  const refusedUntil = rows
    .filter((row) => row.failures > (counted.find(({ subject }) => subject.equals(row.subject))?.limit ?? 0))
    .map((row) => row.windowStartedAt.getTime() + signInWindowSeconds * 1000)
  if (refusedUntil.length > 0) {
    throw new RateLimited(Math.max(1, Math.ceil((Math.max(...refusedUntil) - now.getTime()) / 1000)))
  }
}

/** The password was right: the e-mail address starts afresh, and the network address gets its attempt back. */
export async function forgiveAttempt(services: Pick<Context, 'database'>, attempt: Attempt): Promise<void> {
  const [byEmail, byAddress] = countedSubjects(attempt)
  await services.database.lookUp((db) => db.delete(signInAttempts).where(eq(signInAttempts.subject, byEmail.subject)))
  if (!byAddress) return
  await services.database.lookUp((db) =>
    db
      .update(signInAttempts)
      .set({ failures: sql`${signInAttempts.failures} - 1` })
      .where(and(eq(signInAttempts.subject, byAddress.subject), gt(signInAttempts.failures, 0))),
  )
}

interface Counted {
  readonly subject: Buffer
  readonly limit: number
}

function countedSubjects({ email, address }: Attempt): [Counted, ...Counted[]] {
  const byEmail = { subject: digest(`email:${email}`), limit: signInFailuresPerEmail }
  if (address === null) return [byEmail]
  return [byEmail, { subject: digest(`address:${networkOf(address)}`), limit: signInFailuresPerAddress }]
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** One customer usually holds a /64 of IPv6 addresses, and an IPv4 address may come dressed as IPv6. */
export function networkOf(address: string): string {
  const [, ipv4] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? []
  if (ipv4 !== undefined) return ipv4
  const [bare = ''] = address.split('%')
  if (!isIPv6(bare)) return address
  const [head = '', tail] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::')
  const start = head === '' ? [] : head.split(':')
  const end = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - start.length - end.length
  return `${[...start, ...Array<string>(zeros).fill('0'), ...end].slice(0, 4).join(':')}::/64`
}

import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { asc, eq, gt, inArray, and, sql } from 'drizzle-orm'
import type { PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import { signInAttempts } from '../../../database/tables/identityTables.ts'
import type { Context } from '../../context.ts'
import { RateLimited } from '../../refusals.ts'
import { signInDelays } from '../limits.ts'

export interface Attempt {
  readonly email: string
  /** The client's network address. Null if unknown. */
  readonly address: string | null
  /** The stored hash of a device from which this user has signed in before. Null for any other device. */
  readonly device: Buffer | null
}

interface Delays {
  readonly freeFailures: number
  readonly longestSeconds: number
  readonly forgottenSeconds: number
}

/**
 * Counts an attempt before the password is checked, so that concurrent attempts, in any number of processes, get no
 * more guesses than sequential ones. `forgiveAttempt` undoes the count after a success. Rejects with `RateLimited` if
 * an earlier failure still delays the attempt.
 *
 * Delays grow per pair of account and network address, so that nobody can lock out a user elsewhere. A device from
 * which the user has signed in before has its own delay and no other. If an account is under attack from many
 * addresses, each new address gets one attempt without delay. An address that tries many accounts is delayed briefly
 * for all of them.
 */
export async function countAttempt(services: Pick<Context, 'database' | 'now'>, attempt: Attempt): Promise<void> {
  const now = services.now()
  const subjects = subjectsOf(attempt)
  const hashes = Object.values(subjects)
  // In one order for all attempts, so that two of them cannot deadlock.
  const ordered = hashes.toSorted((one, other) => one.compare(other))
  await services.database.lookUp(async (db) => {
    // The update changes nothing and locks the row: a success beside this one may delete it otherwise.
    const rows = await db
      .insert(signInAttempts)
      .values(ordered.map((subject) => ({ subject, failures: 0, lastAttemptAt: now })))
      .onConflictDoUpdate({ target: signInAttempts.subject, set: { failures: sql`${signInAttempts.failures}` } })
      .returning()
    const failures = (subject: Buffer | undefined, { forgottenSeconds }: Delays) => {
      if (subject === undefined) return { count: 0, last: now }
      const row = rows.find((each) => each.subject.equals(subject))
      if (!row) throw new Error('The attempts of a subject vanished inside their own transaction')
      const isForgotten = secondsBetween(row.lastAttemptAt, now) >= forgottenSeconds
      return { count: isForgotten ? 0 : row.failures, last: row.lastAttemptAt }
    }
    const { account, address, pair, device } = signInDelays
    const underAttack = failures(subjects.account, account).count >= account.freeFailures
    const bounds: readonly (readonly [Buffer | undefined, Delays])[] = [
      [subjects.device, device],
      [subjects.pair, underAttack ? { ...pair, freeFailures: 1 } : pair],
      [subjects.address, address],
    ]
    const waits = bounds.map(([subject, delays]) => secondsToWait(failures(subject, delays), delays, now))
    const longest = Math.max(...waits)
    if (longest > 0) throw new RateLimited(Math.ceil(longest))
    for (const [subject, delays] of [...bounds, [subjects.account, account] as const]) {
      if (subject) await setFailures(db, subject, failures(subject, delays).count + 1, now)
    }
  })
}

/**
 * Called after a correct password. Resets the counters of device and pair, and undoes this attempt for account and
 * address.
 */
export async function forgiveAttempt(services: Pick<Context, 'database'>, attempt: Attempt): Promise<void> {
  const { device, pair, account, address } = subjectsOf(attempt)
  const ended = [device, pair].filter((subject) => subject !== undefined)
  const returned = [account, address].filter((subject) => subject !== undefined)
  await services.database.lookUp(async (db) => {
    await lockRows(
      db,
      [...ended, ...returned].toSorted((one, other) => one.compare(other)),
    )
    await db.delete(signInAttempts).where(inArray(signInAttempts.subject, ended))
    if (returned.length === 0) return
    await db
      .update(signInAttempts)
      .set({ failures: sql`${signInAttempts.failures} - 1` })
      .where(and(inArray(signInAttempts.subject, returned), gt(signInAttempts.failures, 0)))
  })
}

const lockRows = (db: PgRemoteDatabase, subjects: readonly Buffer[]) =>
  db
    .select()
    .from(signInAttempts)
    .where(inArray(signInAttempts.subject, [...subjects]))
    .orderBy(asc(signInAttempts.subject))
    .for('update')

const setFailures = (db: PgRemoteDatabase, subject: Buffer, failures: number, lastAttemptAt: Date) =>
  db.update(signInAttempts).set({ failures, lastAttemptAt }).where(eq(signInAttempts.subject, subject))

const secondsBetween = (from: Date, to: Date) => (to.getTime() - from.getTime()) / 1000

/**
 * 0 for the first failures; then 1 s, 2 s, 4 s and so on, up to the maximum. A clock that was set back does not end a
 * delay.
 */
function secondsToWait({ count, last }: { count: number; last: Date }, delays: Delays, now: Date): number {
  const { freeFailures, longestSeconds } = delays
  if (count < freeFailures) return 0
  const delay = Math.min(longestSeconds, 2 ** (count - freeFailures))
  return Math.min(delay, Math.max(0, delay - secondsBetween(last, now)))
}

interface Subjects {
  readonly device?: Buffer
  readonly pair?: Buffer
  readonly account?: Buffer
  readonly address?: Buffer
}

function subjectsOf({ email, address, device }: Attempt): Subjects {
  if (device !== null) return { device: digest('device', email, device.toString('hex')) }
  const network = address === null ? 'unknown' : networkOf(address)
  return {
    pair: digest('pair', email, network),
    account: digest('account', email),
    ...(address !== null && { address: digest('address', network) }),
  }
}

const digest = (...parts: readonly string[]) => createHash('sha256').update(JSON.stringify(parts)).digest()

/**
 * The network of an address. One customer usually has a /64 of IPv6 addresses, and an IPv4 address can be mapped into
 * IPv6.
 */
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

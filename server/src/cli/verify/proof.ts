import postgres from 'postgres'
import type { TenantName } from '../../domain/tenants/findTenant.ts'
import type { Backends } from '../../run/openBackends.ts'
import type { BucketFinding } from '../../storage/s3/bucketProbe.ts'

/**
 * OK: checked, and it holds. BROKEN: checked, and it does not hold. UNPROVEN: a running system cannot show it, or a
 * part did not answer.
 */
export type ProofState = 'OK' | 'BROKEN' | 'UNPROVEN'

/** The result of a check, in words for people. */
export interface Answer {
  readonly state: ProofState
  readonly answer: string
}

/** The inputs of the checks. */
export interface VerifyContext {
  readonly backends: Backends
  /**
   * Connections with the application's role that bypass the first lock of the tenant boundary, so that the second is
   * tested alone.
   */
  readonly application: postgres.Sql
  /** The first tenants by slug. The checks that apply to every tenant use them as a sample. */
  readonly tenants: readonly TenantName[]
  /** How the bucket treated test objects. */
  readonly bucket: () => Promise<readonly BucketFinding[]>
  /** The result of the integrity check for a promise. */
  readonly integrity: (promise: string) => Promise<Answer>
  /** The existing log files. Empty if the log goes to standard output. */
  readonly logFiles: readonly string[]
  /** Values that must not be in a log. */
  readonly secrets: readonly string[]
}

export interface Promised {
  /** As in ARCHITECTURE.md. */
  readonly promise: string
  /** How `verify` checks it. */
  readonly asks: string
  /** How to check it without `verify`. `docs/lifecycle/verification.md` lists the same commands. */
  readonly byHand: readonly ByHand[]
  readonly prove: (ctx: VerifyContext) => Promise<Answer>
}

export const ok = (answer: string): Answer => ({ state: 'OK', answer })
export const broken = (answer: string): Answer => ({ state: 'BROKEN', answer })
export const unproven = (answer: string): Answer => ({ state: 'UNPROVEN', answer })

const worst: readonly ProofState[] = ['BROKEN', 'UNPROVEN', 'OK']

/** Combines several results into the worst of them. */
export function together(...answers: readonly Answer[]): Answer {
  const state = worst.find((one) => answers.some((answer) => answer.state === one)) ?? 'UNPROVEN'
  const told = state === 'OK' ? answers : answers.toSorted((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state))
  return { state, answer: told.map(({ answer }) => answer).join('; ') }
}

/** SQLSTATEs of a refusal: an integrity constraint or a trigger (23), and a missing privilege. */
const refusals = /^(23...|42501)$/

class RolledBack extends Error {}

/**
 * Tries a change in a tenant with the application's role and always rolls it back. Returns true if the database refused
 * it. Gives up after one second if another transaction holds the row.
 */
export async function isRefused(
  application: postgres.Sql,
  tenantId: string,
  statement: string,
  params: readonly string[] = [],
): Promise<boolean> {
  try {
    await application.begin(async (tx) => {
      await tx`set local lock_timeout = '1s'`
      await tx`select set_tenant(${tenantId})`
      await tx.unsafe(statement, [...params])
      throw new RolledBack()
    })
  } catch (error) {
    if (error instanceof RolledBack) return false
    if (error instanceof postgres.PostgresError && refusals.test(error.code)) return true
    throw error
  }
  throw new Error('The attempt was neither refused nor taken back')
}

/** Reads in a tenant with the application's role. Only row-level security separates it from other tenants. */
export const readAs = <Row>(
  application: postgres.Sql,
  tenantId: string,
  statement: string,
  params: readonly string[] = [],
): Promise<Row[]> =>
  application.begin('read only', async (tx) => {
    await tx`select set_tenant(${tenantId})`
    return tx.unsafe(statement, [...params]) as unknown as Row[]
  }) as Promise<Row[]>

/** A command for an operator to run, and its output if the promise holds. */
export interface ByHand {
  readonly command: string
  readonly expected: string
}

/**
 * A query for psql. `DATABASE_URL` must name a superuser or a role with BYPASSRLS. For other roles, row-level security
 * hides the rows of every tenant, so each count is 0.
 */
export const psql = (query: string, expected: string): ByHand => ({
  command: `psql "$DATABASE_URL" -XqAtc "set search_path = filegraph, public; ${query}"`,
  expected,
})

/** A test, by its file below `server/` and a part of its title. It starts its own Postgres. */
export const vitest = (path: string, title: string): ByHand => ({
  command: `(cd server && npx vitest run ${path} -t "${title}")`,
  expected: 'Test Files  1 passed (1)',
})

/** Lists the production files below a folder that contain a text. */
export const grep = (text: string, folder: string, expected: readonly string[]): ByHand => ({
  command: `grep -rlF '${text}' ${folder} --include='*.ts' --exclude='*.test.ts' | sort`,
  expected: expected.join('\n'),
})

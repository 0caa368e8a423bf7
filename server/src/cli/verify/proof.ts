import postgres from 'postgres'
import type { TenantName } from '../../domain/tenants/findTenant.ts'
import type { Backends } from '../../run/openBackends.ts'
import type { BucketFinding } from '../../storage/s3/bucketProbe.ts'
import type { ByHand } from './byHand.ts'

/** OK: asked, and it holds. BROKEN: asked, and it does not. UNPROVEN: a running system cannot show it, or gave no answer. */
export type ProofState = 'OK' | 'BROKEN' | 'UNPROVEN'

/** What the running system answered, in words for people. */
export interface Answer {
  readonly state: ProofState
  readonly answer: string
}

/** What proofs ask. */
export interface VerifyContext {
  readonly backends: Backends
  /** Connections as the application's role, past the first lock of the tenant boundary, so that the second is tried alone. */
  readonly application: postgres.Sql
  /** The first tenants by slug: enough to try what must hold for each. */
  readonly tenants: readonly TenantName[]
  /** What the bucket did with objects of our own. */
  readonly bucket: () => Promise<readonly BucketFinding[]>
  /** What the check of integrity says about a promise. */
  readonly integrity: (promise: string) => Promise<Answer>
  /** The log files that are there; none where the log goes to standard output. */
  readonly logFiles: readonly string[]
  /** What no log may hold. */
  readonly secrets: readonly string[]
}

export interface Promised {
  /** As in ARCHITECTURE.md. */
  readonly promise: string
  /** What `verify` itself does. */
  readonly asks: string
  /** How to check it without `verify`. `docs/lifecycle/verification.md` shows the same commands. */
  readonly byHand: readonly ByHand[]
  readonly prove: (ctx: VerifyContext) => Promise<Answer>
}

export const ok = (answer: string): Answer => ({ state: 'OK', answer })
export const broken = (answer: string): Answer => ({ state: 'BROKEN', answer })
export const unproven = (answer: string): Answer => ({ state: 'UNPROVEN', answer })

const worst: readonly ProofState[] = ['BROKEN', 'UNPROVEN', 'OK']

/** Several answers to one question: as bad as the worst of them. */
export function together(...answers: readonly Answer[]): Answer {
  const state = worst.find((one) => answers.some((answer) => answer.state === one)) ?? 'UNPROVEN'
  const told = state === 'OK' ? answers : answers.toSorted((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state))
  return { state, answer: told.map(({ answer }) => answer).join('; ') }
}

/** Classes of refusal: an integrity constraint or a trigger of ours (23), and a missing privilege. */
const refusals = /^(23...|42501)$/

class RolledBack extends Error {}

/**
 * Tries a change as the application in a tenant, and takes it back whatever the answer was. True when it was refused. Gives
 * up after a second where somebody else holds the row.
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

/** Reads as the application in a tenant, with nothing but row-level security between it and the others. */
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

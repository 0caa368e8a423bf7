import type postgres from 'postgres'
import type { Services } from '../../services.ts'
import type { BucketFinding } from '../../storage/bucketProbe.ts'
import type { TenantName } from '../../domain/tenants/findTenant.ts'

/** OK: asked, and it holds. BROKEN: asked, and it does not. UNPROVEN: a running system cannot show it, or gave no answer. */
export type ProofState = 'OK' | 'BROKEN' | 'UNPROVEN'

/** What the running system answered, in words for people. */
export interface Answer {
  readonly state: ProofState
  readonly answer: string
}

/** What proofs ask. */
export interface VerifyContext {
  readonly services: Services
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
  /** The command or the statement with which anybody can ask again. */
  readonly asks: string
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

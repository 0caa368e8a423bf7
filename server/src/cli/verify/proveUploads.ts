import { type Answer, broken, ok, together, unproven, type VerifyContext } from './proof.ts'
import { proveVersionsFixed } from './proveHistory.ts'

/** What the store itself refuses. Where it does not, the commit looks at what is there, so that nothing is broken by that. */
const bindings = [
  'content length is bound',
  'content type is bound',
  'expiry is honoured',
  'checksum is verified',
] as const

/** An upload address takes what was declared, and nothing else. */
export async function proveDeclared({ bucket }: VerifyContext): Promise<Answer> {
  const findings = await bucket()
  const answers = bindings.map((binding): Answer => {
    const found = findings.find(({ behaviour }) => behaviour === binding)
    if (!found || found.ok === 'unknown') return unproven(found?.detail ?? `the bucket did not say whether ${binding}`)
    return ok(found.ok ? lowered(found.detail) : `${lowered(found.detail)}, so only the commit looks`)
  })
  return together(...answers)
}

/** An object that is there cannot be overwritten by the address that made it; rows that tell of it cannot change. */
export async function proveUnchangeable(ctx: VerifyContext): Promise<Answer> {
  const found = (await ctx.bucket()).find(({ behaviour }) => behaviour === 'conditional upload')
  const rows = await proveVersionsFixed(ctx)
  if (!found || found.ok === 'unknown')
    return together(unproven(found?.detail ?? 'the bucket did not take an upload'), rows)
  return together(found.ok ? ok(lowered(found.detail)) : broken(lowered(found.detail)), rows)
}

const lowered = (text: string) => `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`

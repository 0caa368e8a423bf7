import type { Terminal } from '../terminal.ts'
import type { Check } from './check.ts'

const marks = { ok: 'ok     ', warning: 'warning', missing: 'MISSING' } as const

/** A line for each check, and under it what to do where something is amiss. */
export function printChecks(terminal: Terminal, checks: readonly Check[]): void {
  for (const { name, state, detail, remedy } of checks) {
    terminal.print(`${marks[state]}  ${name}: ${detail}\n`)
    if (state !== 'ok' && remedy !== undefined) terminal.print(`         ${remedy}\n`)
  }
}

import type { Terminal } from '../terminal.ts'

/** One check. `missing` prevents Filegraph from working. `warning` does not. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'missing'
  readonly detail: string
  /** How to fix the problem. */
  readonly remedy?: string
}

export const ok = (name: string, detail: string): Check => ({ name, state: 'ok', detail })

export const warning = (name: string, detail: string, remedy: string): Check => ({
  name,
  state: 'warning',
  detail,
  remedy,
})

export const missing = (name: string, detail: string, remedy: string): Check => ({
  name,
  state: 'missing',
  detail,
  remedy,
})

const marks = { ok: 'ok     ', warning: 'warning', missing: 'MISSING' } as const

/** Prints one line per check, with a remedy below each problem. */
export function printChecks(terminal: Terminal, checks: readonly Check[]): void {
  for (const { name, state, detail, remedy } of checks) {
    terminal.print(`${marks[state]}  ${name}: ${detail}\n`)
    if (state !== 'ok' && remedy !== undefined) terminal.print(`         ${remedy}\n`)
  }
}

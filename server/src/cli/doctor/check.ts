import type { Terminal } from '../terminal.ts'

/** One thing that was looked at. `missing` keeps Filegraph from working; `warning` is worth knowing. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'missing'
  readonly detail: string
  /** What to do about it. */
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

/** A line for each check, and under it how to fix each problem. */
export function printChecks(terminal: Terminal, checks: readonly Check[]): void {
  for (const { name, state, detail, remedy } of checks) {
    terminal.print(`${marks[state]}  ${name}: ${detail}\n`)
    if (state !== 'ok' && remedy !== undefined) terminal.print(`         ${remedy}\n`)
  }
}

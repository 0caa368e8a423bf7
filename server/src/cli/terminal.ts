import { pino } from 'pino'

/** What a command sees of the process that runs it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  /** Results: what another program may read. */
  readonly print: (text: string) => unknown
  /** Everything that is said beside the result. */
  readonly say: (text: string) => unknown
}

/** The command could not do what it was asked; the message is the one line that says why. Ends in exit code 1. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** One JSON value on one line, for other programs. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.print(`${JSON.stringify(value)}\n`)
}

/** Columns as wide as their widest cell; no borders, so that the lines can be cut and sorted. */
export function printTable(
  terminal: Terminal,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const lines = [headings, ...rows]
  const widths = headings.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)))
  for (const line of lines) {
    const cells = line.map((cell, at) => (at === line.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
    terminal.print(`${cells.join('  ').trimEnd()}\n`)
  }
}

/** Commands answer in sentences; what goes wrong reaches them as an error. */
export const quietLogger = pino({ level: 'silent' })

/** Commands as people type them, under a heading, for the end of a help text. */
export const examples = (...commands: string[]): string =>
  ['', 'Examples:', ...commands.map((command) => `  npm run -s filegraph -- ${command}`)].join('\n')

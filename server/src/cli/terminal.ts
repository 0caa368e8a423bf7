import { pino } from 'pino'

/** The part of the process that a command may use. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  /** Prints a result, which another program can read. */
  readonly print: (text: string) => unknown
  /** Prints everything else. */
  readonly say: (text: string) => unknown
}

/** The command failed. The message is one line with the reason. The exit code is 1. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** Prints one JSON value on one line. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.print(`${JSON.stringify(value)}\n`)
}

/**
 * Prints columns that are as wide as their widest cell. There are no borders, so that other tools can cut and sort the
 * lines.
 */
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

/** Commands report errors as sentences, so they do not log. */
export const quietLogger = pino({ level: 'silent' })

/** Example commands with a heading, for the end of a help text. */
export const examples = (...commands: string[]): string =>
  ['', 'Examples:', ...commands.map((command) => `  npm run -s filegraph -- ${command}`)].join('\n')

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

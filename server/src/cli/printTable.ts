import type { Terminal } from './terminal.ts'

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

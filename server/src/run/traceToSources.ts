import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Makes stack traces name the lines of the TypeScript sources. Node's own option loads the source maps of all modules
 * at the start, packages included, which costs 4 MB of heap. This function reads a map only when a stack trace contains
 * its file.
 *
 * Frames of packages and of files without a map stay unchanged.
 */
export function traceToSources(): void {
  const maps = new Map<string, SourceMap | null>()
  const mapOf = (file: string) => {
    if (!maps.has(file)) maps.set(file, readMap(file))
    return maps.get(file)
  }
  Error.prepareStackTrace = (error, frames) =>
    [headOf(error), ...frames.map((frame) => `    at ${lineOf(frame, mapOf)}`)].join('\n')
}

function lineOf(frame: NodeJS.CallSite, mapOf: (file: string) => SourceMap | null | undefined): string {
  const file = frame.getFileName()
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()]
  const text = frame.toString()
  if (!file?.startsWith('file:') || file.includes('/node_modules/') || line === null || column === null) return text
  const entry = mapOf(file)?.findEntry(line - 1, column - 1)
  if (!entry || !('originalSource' in entry)) return text
  const source = new URL(entry.originalSource, file).href
  return text.replace(`${file}:${line}:${column}`, `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`)
}

/** Null if the map cannot be read. A failure here must not hide the original error. */
function readMap(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(file)}.map`, 'utf8')) as SourceMapPayload)
  } catch {
    return null
  }
}

/**
 * The first line of a stack, as V8 formats it. The thrown value can be anything, even an object whose conversion to
 * text throws.
 */
function headOf(error: unknown): string {
  try {
    return String(error)
  } catch {
    return 'Error'
  }
}

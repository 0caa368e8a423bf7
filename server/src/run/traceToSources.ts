import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Lets stacks name the lines of the TypeScript sources. Node can do that too, but then keeps the source maps of every
 * module, packages included, from the start: 4 MB of heap, for the sake of errors that may never come. Here a map is read
 * when a stack that leads through its file is read.
 *
 * Frames of packages and of files without a map stay as they are.
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

/** Null where there is none that can be read: an error about an error helps nobody. */
function readMap(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(file)}.map`, 'utf8')) as SourceMapPayload)
  } catch {
    return null
  }
}

/** As V8 begins a stack. What is thrown may be anything, also something whose text cannot be told. */
function headOf(error: unknown): string {
  try {
    return String(error)
  } catch {
    return 'Error'
  }
}

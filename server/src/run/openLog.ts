import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join, dirname } from 'node:path'
import { type Logger, multistream, pino } from 'pino'
import { createLogger } from '../http/createLogger.ts'

export interface Log {
  readonly logger: Logger
  /** For people: where the lines go. */
  readonly place: string
}

const maxFileBytes = 20_000_000

/** JSON lines into a file of the data folder; errors also go to standard error, where somebody may see them at once. */
export function openFileLog(dataDirectory: string, level: string): Log {
  const place = join(dataDirectory, 'logs', 'filegraph.log')
  const destination = multistream([
    { level: 'trace', stream: openRotatingFile(place, maxFileBytes) },
    { level: 'error', stream: process.stderr },
  ])
  return { logger: createLogger({ level, destination }), place }
}

/** JSON lines on standard output, for whatever collects the logs of a server. */
export const standardLogger = (level: string): Logger =>
  createLogger({ level, destination: pino.destination({ dest: 1, sync: true }) })

/** Something that a logger writes lines to. */
interface LogDestination {
  write(line: string): void
  close(): void
}

/**
 * A log file of bounded size: when it is full it becomes `<path>.1`, in place of the one before, and a new one begins.
 * Written at once, so that the last line before a crash is there. A full disk loses lines and harms nothing else.
 */
function openRotatingFile(path: string, maxBytes: number): LogDestination {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const open = () => {
    const descriptor = openSync(path, 'a', 0o600)
    return { descriptor, byteSize: fstatSync(descriptor).size }
  }
  let file = open()
  return {
    write(line) {
      try {
        if (file.byteSize > 0 && file.byteSize + line.length > maxBytes) {
          closeSync(file.descriptor)
          renameSync(path, `${path}.1`)
          file = open()
        }
        file.byteSize += writeSync(file.descriptor, line)
      } catch (error) {
        process.emitWarning(`A log line was lost: ${String(error)}`)
      }
    },
    close: () => closeSync(file.descriptor),
  }
}

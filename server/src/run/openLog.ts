import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join, dirname } from 'node:path'
import { type Logger, multistream, pino } from 'pino'
import { createLogger } from '../http/createLogger.ts'

export interface Log {
  readonly logger: Logger
  /** The location of the log, for people. */
  readonly place: string
}

const maxFileBytes = 20_000_000

/** Logs JSON lines into a file of the data folder. Errors also go to standard error. */
export function openFileLog(dataDirectory: string, level: string): Log {
  const place = join(dataDirectory, 'logs', 'filegraph.log')
  const destination = multistream([
    { level: 'trace', stream: openRotatingFile(place, maxFileBytes) },
    { level: 'error', stream: process.stderr },
  ])
  return { logger: createLogger({ level, destination }), place }
}

/** Logs JSON lines to standard output, for a log collector. */
export const standardLogger = (level: string): Logger =>
  createLogger({ level, destination: pino.destination({ dest: 1, sync: true }) })

/** The destination of a logger. */
interface LogDestination {
  write(line: string): void
  close(): void
}

/**
 * A log file of bounded size. A full file replaces `<path>.1`, and a new one begins. Writes are synchronous, so that
 * the last line before a crash is on disk. A full disk loses lines and has no other effect.
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

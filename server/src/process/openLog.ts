import { join } from 'node:path'
import { type Logger, multistream, pino } from 'pino'
import { createLogger } from '../http/createLogger.ts'
import { openRotatingFile } from './rotatingFile.ts'

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

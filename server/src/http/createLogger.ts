import { type DestinationStream, type Logger, pino } from 'pino'
import { redact } from './redact.ts'

export interface LoggerOptions {
  readonly level: string
  /** Standard output unless told. */
  readonly destination?: DestinationStream
}

/** Logs JSON lines. Every line is redacted as a whole before it leaves, whatever it was made of. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
    hooks: { streamWrite: redact },
  }
  return destination ? pino(options, destination) : pino(options)
}

interface ErrorDescription {
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: ErrorDescription
}

const causesTold = 4

/** Message, code, stack and causes: what else hangs on an error may be a request with its headers. */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { message: `Something was thrown that is no error: ${typeof error}` }
  const { code } = error as { code?: unknown }
  return {
    message: `${error.name}: ${withoutParameters(error.message)}`,
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: withoutParameters(error.stack) }),
    ...(error.cause !== undefined && depth < causesTold && { cause: describeError(error.cause, depth + 1) }),
  }
}

/** Drizzle's errors end with the values of the statement, among them hashes of secrets. */
const withoutParameters = (text: string) => text.replace(/\nparams: [\s\S]*?(?=\n {4}at |$)/g, '\nparams: [redacted]')

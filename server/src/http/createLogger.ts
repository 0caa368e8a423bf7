import { type DestinationStream, type Logger, pino } from 'pino'

interface LoggerOptions {
  readonly level: string
  /** Default: standard output. */
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
  if (!(error instanceof Error)) return { message: `Something was thrown that is not an error: ${typeof error}` }
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

const hidden = '[redacted]'

const names = 'authorization|cookie|set-cookie|password|passwordHash|secret|token|x-amz-signature'

/** In the order in which they apply. Values end before a quote or a backslash, so that a line of JSON stays one. */
const secrets: readonly [pattern: RegExp, instead: string][] = [
  // By its name in JSON, and in JSON that is a text within JSON.
  [new RegExp(String.raw`"(${names})":\s*"(?:[^"\\]|\\.)*"`, 'gi'), `"$1":"${hidden}"`],
  [
    new RegExp(String.raw`\\"(${names})\\":\s*\\"(?:[^"\\]|\\\\(?:\\"|\\\\|[^"\\]))*\\"`, 'gi'),
    String.raw`\"$1\":\"${hidden}\"`,
  ],
  // API keys, tokens (JWS) and what follows the scheme of an Authorization header.
  [/fgk_[\w-]+/g, `fgk_${hidden}`],
  [/\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)*/g, hidden],
  [/\b(Bearer|Basic)(\s+|%20)[^\s"'\\,;&]+/gi, `$1 ${hidden}`],
  [/(filegraph_session(?:=|%3D))[^\s"'\\;,&]+/gi, `$1${hidden}`],
  // Signatures of S3, in addresses and in headers.
  [/(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%3D))[^\s"'\\&<>]+/gi, `$1${hidden}`],
  [/(\bSignature=)[0-9a-f]{16,}/gi, `$1${hidden}`],
  [/\$argon2\w+\$[^\s"'\\]+/g, hidden],
  // The password in the address of a database or a proxy.
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'\\]*:)[^\s@"'\\/]+@/gi, `$1${hidden}@`],
]

/** Takes signatures, tokens, cookies, passwords and keys out of a text, JSON or not. */
export const redact = (text: string): string =>
  secrets.reduce((left, [pattern, instead]) => left.replace(pattern, instead), text)

import { type DestinationStream, type Logger, pino } from 'pino'

interface LoggerOptions {
  readonly level: string
  /** Default: standard output. */
  readonly destination?: DestinationStream
}

/** Logs JSON lines. Each complete line is redacted before it is written. */
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

/** Describes an error by message, code, stack and causes. Other properties can hold a request with its headers. */
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

/** Removes the parameters that Drizzle appends to its messages. They can include hashes of secrets. */
const withoutParameters = (text: string) => text.replace(/\nparams: [\s\S]*?(?=\n {4}at |$)/g, '\nparams: [redacted]')

const hidden = '[redacted]'

const names = 'authorization|cookie|set-cookie|password|passwordHash|secret|token|x-amz-signature'

/** Applied in this order. A match ends before a quote or a backslash, so that the line stays valid JSON. */
const secrets: readonly [pattern: RegExp, instead: string][] = [
  // The value of a secret property, in JSON and in JSON that is nested in a string.
  [new RegExp(String.raw`"(${names})":\s*"(?:[^"\\]|\\.)*"`, 'gi'), `"$1":"${hidden}"`],
  [
    new RegExp(String.raw`\\"(${names})\\":\s*\\"(?:[^"\\]|\\\\(?:\\"|\\\\|[^"\\]))*\\"`, 'gi'),
    String.raw`\"$1\":\"${hidden}\"`,
  ],
  // API keys, tokens (JWS) and the credentials of an Authorization header.
  [/fgk_[\w-]+/g, `fgk_${hidden}`],
  [/\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)*/g, hidden],
  [/\b(Bearer|Basic)(\s+|%20)[^\s"'\\,;&]+/gi, `$1 ${hidden}`],
  [/(filegraph_session(?:=|%3D))[^\s"'\\;,&]+/gi, `$1${hidden}`],
  // S3 signatures in URLs and in headers.
  [/(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%3D))[^\s"'\\&<>]+/gi, `$1${hidden}`],
  [/(\bSignature=)[0-9a-f]{16,}/gi, `$1${hidden}`],
  [/\$argon2\w+\$[^\s"'\\]+/g, hidden],
  // The password in the URL of a database or a proxy.
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'\\]*:)[^\s@"'\\/]+@/gi, `$1${hidden}@`],
]

/** Removes signatures, tokens, cookies, passwords and keys from any text. */
export const redact = (text: string): string =>
  secrets.reduce((left, [pattern, instead]) => left.replace(pattern, instead), text)

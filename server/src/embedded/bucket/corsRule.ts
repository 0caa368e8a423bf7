import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { dirname } from 'node:path'
import { syncDirectoryNow } from './recordFile.ts'

/** One rule of a bucket's CORS configuration. */
export interface CorsRule {
  readonly id?: string | undefined
  /** Each can contain one `*`. */
  readonly allowedOrigins: readonly string[]
  readonly allowedMethods: readonly string[]
  /** Each can contain one `*`. */
  readonly allowedHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly maxAgeSeconds?: number | undefined
}

/** The values that a browser sends in a preflight or in the request itself. */
interface CorsQuestion {
  readonly origin: string
  readonly method: string
  readonly headers: readonly string[]
}

export function corsQuestion(http: IncomingMessage, isPreflight: boolean): CorsQuestion | undefined {
  const { origin } = http.headers
  if (origin === undefined) return undefined
  if (!isPreflight) return { origin, method: http.method ?? 'GET', headers: [] }
  const headers = (http.headers['access-control-request-headers'] ?? '').toLowerCase().split(',')
  return {
    origin,
    method: http.headers['access-control-request-method'] ?? '',
    headers: headers.map((name) => name.trim()).filter((name) => name !== ''),
  }
}

/** The first rule that allows every value, as in S3. */
export function matchingRule(rules: readonly CorsRule[], question: CorsQuestion): CorsRule | undefined {
  return rules.find(
    (rule) =>
      rule.allowedOrigins.some((pattern) => matches(pattern, question.origin)) &&
      rule.allowedMethods.includes(question.method) &&
      question.headers.every((name) => rule.allowedHeaders.some((pattern) => matches(pattern.toLowerCase(), name))),
  )
}

function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === text
  const [start, end] = [pattern.slice(0, star), pattern.slice(star + 1)]
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end)
}

/** The response headers of a matching rule. */
export function corsHeaders(rule: CorsRule, question: CorsQuestion): Record<string, string> {
  const isForAnyone = rule.allowedOrigins.includes('*')
  return {
    'access-control-allow-origin': isForAnyone ? '*' : question.origin,
    ...(!isForAnyone && { 'access-control-allow-credentials': 'true' }),
    'access-control-allow-methods': rule.allowedMethods.join(', '),
    ...(question.headers.length > 0 && { 'access-control-allow-headers': question.headers.join(', ') }),
    ...(rule.exposeHeaders.length > 0 && { 'access-control-expose-headers': rule.exposeHeaders.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.maxAgeSeconds) }),
  }
}

/** The bucket's CORS rules, in one small file. */
export interface CorsStore {
  /** Empty if there are none. */
  rules(): readonly CorsRule[]
  replace(rules: readonly CorsRule[]): void
}

export function openCorsStore(path: string): CorsStore {
  let current = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as CorsRule[]) : []
  return {
    rules: () => current,
    replace(rules) {
      const unfinished = `${path}.new`
      if (rules.length > 0) {
        writeFileSync(unfinished, JSON.stringify(rules), { flush: true, mode: 0o600 })
        renameSync(unfinished, path)
      } else {
        rmSync(path, { force: true })
      }
      syncDirectoryNow(dirname(path))
      current = [...rules]
    },
  }
}

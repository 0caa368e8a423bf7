import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { DatabaseUrlProblem, splitDatabaseUrl } from './databaseUrl.ts'
import { readSslMode, tlsFor } from './sslMode.ts'

export { DatabaseUrlProblem } from './databaseUrl.ts'

/** The default of `DATABASE_SCHEMA`. */
export const usualSchema = 'filegraph'

/** One server of a connection URL. */
export interface HostAddress {
  /** A host name, an IP address without brackets, or the folder of a Unix socket if it begins with a slash. */
  readonly host: string
  readonly port: number
  /** False: no TLS. */
  readonly tls: false | TlsOptions
  /** A server without TLS is accepted. */
  readonly tlsIsOptional: boolean
}

/**
 * A connection URL, parsed once for both drivers. postgres.js and `pg` (of the job queue) interpret the same parameters
 * differently, and send unknown parameters to the server. The parameters have the meaning of libpq:
 * https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
export interface DatabaseAddress {
  /** At least one. Tried in turn. */
  readonly hosts: readonly HostAddress[]
  readonly database: string
  readonly user: string
  readonly password: string
  /** The servers to use among `hosts`. */
  readonly session: SessionTarget
  /** The limit of one attempt to connect to one host. */
  readonly connectTimeoutMs: number
  readonly applicationName: string | undefined
  /** The idle time before the first TCP keepalive probe. 0: no probes. */
  readonly keepAliveSeconds: number
  /** The startup parameter `options`, such as `-c geqo=off`. */
  readonly options: string | undefined
}

const sessionTargets = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const
/** The values of `target_session_attrs`. */
export type SessionTarget = (typeof sessionTargets)[number]

const understood = new Set([
  'application_name',
  'connect_timeout',
  'host',
  'keepalives',
  'keepalives_idle',
  'options',
  'port',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
  'target_session_attrs',
])

/** Parameters that are accepted and ignored, with the values that request the default behaviour. */
const withoutEffect: Readonly<Record<string, RegExp>> = {
  channel_binding: /^(disable|prefer)$/,
  gssencmode: /^(disable|prefer)$/,
  // Node cannot set these two. The operating system's values apply.
  keepalives_count: /^\d+$/,
  keepalives_interval: /^\d+$/,
  load_balance_hosts: /^disable$/,
  sslnegotiation: /^postgres$/,
}

const usualKeepAliveSeconds = 60
/** Shorter with several hosts: a host that does not answer delays the next one. */
const usualConnectSeconds = { one: 5, several: 2 }

/** Throws `DatabaseUrlProblem`. Reads the certificate files that the URL names. */
export function readDatabaseAddress(text: string): DatabaseAddress {
  const { hosts, database, user, password, parameters } = splitDatabaseUrl(text)
  refuseUnknown(parameters)
  const mode = readSslMode(parameters)
  const tlsIsOptional = mode === 'prefer' || mode === 'allow'
  const usualSeconds = usualConnectSeconds[hosts.length > 1 ? 'several' : 'one']
  const sendsKeepAlive = wholeOf(parameters, 'keepalives', 1) !== 0
  return {
    hosts: hosts.map(({ host, port }) => ({ host, port, tls: tlsFor(mode, host, parameters), tlsIsOptional })),
    database,
    user,
    password,
    session: readSession(parameters, hosts.length),
    connectTimeoutMs: 1000 * (wholeOf(parameters, 'connect_timeout', 0) || usualSeconds),
    applicationName: parameters['application_name'],
    keepAliveSeconds: sendsKeepAlive ? wholeOf(parameters, 'keepalives_idle', 0) || usualKeepAliveSeconds : 0,
    options: parameters['options'],
  }
}

function refuseUnknown(asked: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(asked)) {
    if (understood.has(name) || withoutEffect[name]?.test(value)) continue
    if (name === 'channel_binding') {
      throw new DatabaseUrlProblem(
        `has the parameter channel_binding=${value}, which is not supported. Remove it; sslmode=verify-full detects a false server`,
      )
    }
    const known = [...understood].toSorted().join(', ')
    throw new DatabaseUrlProblem(
      `has the parameter ${name}=${value}, which is not supported. Remove it; supported are ${known}`,
    )
  }
}

/**
 * The default differs from libpq if there are several hosts: every process writes, and a standby can be the first of
 * the list.
 */
function readSession({ target_session_attrs: asked }: Readonly<Record<string, string>>, hosts: number): SessionTarget {
  const target = asked ?? (hosts > 1 ? 'read-write' : 'any')
  const found = sessionTargets.find((each) => each === target)
  if (found) return found
  throw new DatabaseUrlProblem(`has target_session_attrs=${asked}, which is none of ${sessionTargets.join(', ')}`)
}

function wholeOf(parameters: Readonly<Record<string, string>>, name: string, fallback: number): number {
  const text = parameters[name]
  if (text === undefined) return fallback
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new DatabaseUrlProblem(`has ${name}=${text}, which is not a whole number of seconds`)
}

import { readFileSync } from 'node:fs'
import { connect as connectSocket, isIP } from 'node:net'
import { checkServerIdentity, type ConnectionOptions as TlsOptions, type PeerCertificate } from 'node:tls'

/** The default of `DATABASE_SCHEMA`. */
export const usualSchema = 'filegraph'

/**
 * A connection URL, parsed once for both drivers. postgres.js and `pg` (of the job queue) interpret the same parameters
 * differently, and send unknown parameters to the server. `sslmode` has the meaning of libpq:
 * https://www.postgresql.org/docs/18/libpq-ssl.html
 */
export interface DatabaseAddress {
  /** A host name, an IP address without brackets, or the folder of a Unix socket if it begins with a slash. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly sslMode: SslMode
  /** False: no TLS. */
  readonly tls: false | TlsOptions
  /** The startup parameter `options`, such as `-c geqo=off`. */
  readonly options: string | undefined
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
type SslMode = (typeof sslModes)[number]

/** The URL is not valid. The message continues a sentence that begins with the name of the variable. */
export class DatabaseUrlProblem extends Error {
  override readonly name = 'DatabaseUrlProblem'
}

const understood = new Set(['host', 'options', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'])

/** Parameters that are accepted and ignored, with the values that request the default behaviour. */
const withoutEffect: Readonly<Record<string, readonly string[]>> = {
  channel_binding: ['disable', 'prefer'],
  gssencmode: ['disable', 'prefer'],
  sslnegotiation: ['postgres'],
  target_session_attrs: ['any', 'read-write', 'primary'],
}

/** Throws `DatabaseUrlProblem`. Reads the certificate files that the URL names. */
export function readDatabaseAddress(text: string): DatabaseAddress {
  // The URL of a Unix socket can omit the host: postgres://app@/files?host=/run/postgresql
  const whole = text.replace(/^(\w+:\/\/[^/?#]*@)(?=\/)/, '$1localhost')
  const url = URL.canParse(whole) ? new URL(whole) : null
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new DatabaseUrlProblem('has to be one address that begins with postgres://')
  }
  const asked = Object.fromEntries(url.searchParams)
  refuseUnknown(asked)
  const host = asked['host'] ?? (decoded(url.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost')
  if (host.includes(',')) throw new DatabaseUrlProblem('has to name one host')
  const user = decoded(url.username)
  const sslMode = readSslMode(asked)
  return {
    host,
    port: Number(url.port || 5432),
    database: decoded(url.pathname.slice(1)) || user,
    user,
    password: decoded(url.password),
    sslMode,
    tls: sslMode === 'disable' || host.startsWith('/') ? false : tlsFor(sslMode, host, asked),
    options: asked['options'],
  }
}

function refuseUnknown(asked: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(asked)) {
    if (understood.has(name) || withoutEffect[name]?.includes(value)) continue
    const known = [...understood].toSorted().join(', ')
    throw new DatabaseUrlProblem(
      `has the parameter ${name}=${value}, which is not supported. Remove it; supported are ${known}`,
    )
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new DatabaseUrlProblem('has a % that begins no escape. Write % as %25')
  }
}

function readSslMode({ sslmode, sslrootcert }: Readonly<Record<string, string>>): SslMode {
  if (sslrootcert === 'system' && (sslmode === undefined || sslmode === 'verify-full')) return 'verify-full'
  if (sslrootcert === 'system') {
    throw new DatabaseUrlProblem(`has sslrootcert=system with sslmode=${sslmode}, which does not check the certificate`)
  }
  const mode = sslModes.find((each) => each === (sslmode ?? 'disable'))
  if (!mode) throw new DatabaseUrlProblem(`has sslmode=${sslmode}, which is none of ${sslModes.join(', ')}`)
  // As in libpq, a given root certificate means that the server's certificate is verified.
  return mode === 'require' && sslrootcert !== undefined ? 'verify-ca' : mode
}

function tlsFor(mode: SslMode, host: string, asked: Readonly<Record<string, string>>): TlsOptions {
  const { sslrootcert, sslcert, sslkey } = asked
  const files = {
    ...(sslrootcert !== undefined && sslrootcert !== 'system' && { ca: fileOf('sslrootcert', sslrootcert) }),
    ...(sslcert !== undefined && { cert: fileOf('sslcert', sslcert) }),
    ...(sslkey !== undefined && { key: fileOf('sslkey', sslkey) }),
  }
  const name = isIP(host) ? {} : { servername: host }
  if (mode === 'verify-full') {
    // By default Node compares with the server name, which is not sent for an IP address.
    const check = (_name: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate)
    return { ...files, ...name, rejectUnauthorized: true, checkServerIdentity: check }
  }
  if (mode === 'verify-ca') {
    return { ...files, ...name, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  }
  return { ...files, ...name, rejectUnauthorized: false }
}

function fileOf(parameter: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new DatabaseUrlProblem(`has ${parameter}=${path}, which cannot be read (${code})`)
  }
}

/** Options for postgres.js. All of them are set, so that no PG… variable of the environment applies. */
export function driverOptions({ host, port, database, user, password, sslMode, tls, options }: DatabaseAddress) {
  const isOptional = sslMode === 'prefer' || sslMode === 'allow'
  return {
    // A list, which the types do not declare: the driver splits a string at colons, and an IPv6 address contains
    // colons.
    host: [host] as unknown as string,
    port: [port] as unknown as number,
    path: host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : '',
    database,
    user,
    password,
    ssl: tls !== false && isOptional ? ('prefer' as const) : tls,
    connection: options === undefined ? {} : { options },
  }
}

/** Options for `pg`, which does not fall back to a plain connection if the server has no TLS. */
export async function queueDriverOptions(address: DatabaseAddress) {
  const { host, port, database, user, password, sslMode, tls, options } = address
  const isOptional = sslMode === 'prefer' || sslMode === 'allow'
  const ssl = tls !== false && isOptional && !(await offersTls(address)) ? false : tls
  return { host, port, database, user, password, ssl, ...(options !== undefined && { options }) }
}

/** SSLRequest: https://www.postgresql.org/docs/18/protocol-message-formats.html */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const patienceMs = 5_000

/** Also false if the server does not answer. The driver then reports why. */
function offersTls({ host, port }: DatabaseAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port, timeout: patienceMs })
    const end = (offers: boolean) => {
      socket.destroy()
      resolve(offers)
    }
    socket.once('connect', () => socket.write(sslRequest))
    socket.once('data', (data) => end(data.toString('latin1').startsWith('S')))
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => end(false))
  })
}

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { checkServerIdentity, type ConnectionOptions as TlsOptions, type PeerCertificate } from 'node:tls'
import { DatabaseUrlProblem } from './databaseUrl.ts'

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** https://www.postgresql.org/docs/18/libpq-ssl.html */
export type SslMode = (typeof sslModes)[number]

export function readSslMode({ sslmode, sslrootcert }: Readonly<Record<string, string>>): SslMode {
  if (sslrootcert === 'system' && (sslmode === undefined || sslmode === 'verify-full')) return 'verify-full'
  if (sslrootcert === 'system') {
    throw new DatabaseUrlProblem(`has sslrootcert=system with sslmode=${sslmode}, which does not check the certificate`)
  }
  const mode = sslModes.find((each) => each === (sslmode ?? 'disable'))
  if (!mode) throw new DatabaseUrlProblem(`has sslmode=${sslmode}, which is none of ${sslModes.join(', ')}`)
  // As in libpq, a given root certificate means that the server's certificate is verified.
  return mode === 'require' && sslrootcert !== undefined ? 'verify-ca' : mode
}

/** The options of a TLS connection to one host. False: no TLS. */
export function tlsFor(mode: SslMode, host: string, asked: Readonly<Record<string, string>>): false | TlsOptions {
  if (mode === 'disable' || host.startsWith('/')) return false
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

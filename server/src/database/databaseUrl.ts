/** The URL is not valid. The message continues a sentence that begins with the name of the variable. */
export class DatabaseUrlProblem extends Error {
  override readonly name = 'DatabaseUrlProblem'
}

/** A connection URL, split and decoded. */
export interface DatabaseUrl {
  /** At least one. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly database: string
  readonly user: string
  readonly password: string
  readonly parameters: Readonly<Record<string, string>>
}

const shape =
  /^postgres(?:ql)?:\/\/(?:(?<login>[^/?#]*)@)?(?<hosts>[^@/?#]*)(?:\/(?<database>[^?#]*))?(?:\?(?<query>[^#]*))?$/

/**
 * Splits a URL in the syntax of libpq, which allows several hosts, each with a port. The class `URL` allows one.
 * https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function splitDatabaseUrl(text: string): DatabaseUrl {
  const parts = shape.exec(text)?.groups
  if (!parts) throw new DatabaseUrlProblem('has to be one address that begins with postgres://')
  const { login = '', hosts = '', database = '', query = '' } = parts
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(login) ?? []
  const parameters = Object.fromEntries(new URLSearchParams(query))
  return {
    hosts: hostsOf(hosts, parameters),
    database: decoded(database) || decoded(user),
    user: decoded(user),
    password: decoded(password),
    parameters,
  }
}

/** As in libpq, the parameters `host` and `port` replace the hosts and ports before the path. */
function hostsOf(text: string, { host, port }: Readonly<Record<string, string>>): DatabaseUrl['hosts'] {
  const written = text.split(',').map(splitHost)
  const hosts = host === undefined ? written.map((each) => each.host) : host.split(',')
  const ports = port === undefined ? written.map((each) => each.port) : port.split(',')
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw new DatabaseUrlProblem(
      `has ${hosts.length} hosts and ${ports.length} ports. Give one port, or one for each host`,
    )
  }
  return hosts.map((name, at) => ({
    host: name || 'localhost',
    port: portOf(ports.length === 1 ? ports[0] : ports[at]),
  }))
}

/** Brackets enclose an IPv6 address. The folder of a Unix socket is written with %2F. */
function splitHost(text: string): { host: string; port: string } {
  const found = /^(?:\[(?<address>[^\]]*)\]|(?<name>[^:[\]]*))(?::(?<port>.*))?$/.exec(text)?.groups
  if (!found) throw new DatabaseUrlProblem(`has the host ${text}. Write an IPv6 address in brackets`)
  return { host: decoded(found['address'] ?? found['name'] ?? ''), port: found['port'] ?? '' }
}

function portOf(text = ''): number {
  if (text === '') return 5432
  const port = Number(text)
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port
  throw new DatabaseUrlProblem('has a port that is not a number from 1 to 65535')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new DatabaseUrlProblem('has a % that begins no escape. Write % as %25')
  }
}

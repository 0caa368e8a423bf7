import type { Socket } from 'node:net'
import postgres from 'postgres'
import { type DatabaseAddress, type HostAddress, readDatabaseAddress, type SessionTarget } from './databaseAddress.ts'
import { DatabaseUnavailable } from './databaseUnavailable.ts'
import { openSocket, openSocketFor, serverOffersTls } from './openSocket.ts'

interface SessionState {
  readonly isStandby: boolean
  readonly isReadOnly: boolean
}

/** https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS */
const fits: Readonly<Record<SessionTarget, (state: SessionState) => boolean>> = {
  any: () => true,
  'read-write': ({ isReadOnly }) => !isReadOnly,
  'read-only': ({ isReadOnly }) => isReadOnly,
  primary: ({ isStandby }) => !isStandby,
  standby: ({ isStandby }) => isStandby,
  'prefer-standby': ({ isStandby }) => isStandby,
}

/** No server of the URL has the required state, for example during a failover. SQLSTATE 25006: read-only transaction. */
class NoFittingServer extends Error {
  override readonly name = 'NoFittingServer'
  readonly code = '25006'
}

/** The servers that one URL names. Remembers which of them fitted last. */
export class Servers {
  readonly address: DatabaseAddress
  #last = 0
  #search: Promise<HostAddress> | undefined

  constructor(url: string) {
    this.address = readDatabaseAddress(url)
  }

  /** The longest time until a connection is open, or has failed on every host. */
  get patienceMs(): number {
    const { hosts, connectTimeoutMs } = this.address
    return connectTimeoutMs * (this.#isFixed ? 1 : hosts.length + 1)
  }

  /**
   * The server for the next connection. Asks the hosts in turn, beginning with the one that fitted last, so that a host
   * that does not answer does not delay every connection. Concurrent callers share one search.
   */
  async find(): Promise<HostAddress> {
    const [only] = this.address.hosts
    if (this.#isFixed && only) return only
    this.#search ??= this.#searchAll().finally(() => (this.#search = undefined))
    return this.#search
  }

  /** One host in any state: nothing to ask. */
  get #isFixed(): boolean {
    return this.address.hosts.length === 1 && this.address.session === 'any'
  }

  async #searchAll(): Promise<HostAddress> {
    const { hosts, session } = this.address
    // Beginning with the last one would keep a primary although a standby is back.
    const first = session === 'prefer-standby' ? 0 : this.#last
    let spare: HostAddress | undefined
    let failure: unknown
    for (let at = 0; at < hosts.length; at += 1) {
      const place = (first + at) % hosts.length
      const host = hosts[place] as HostAddress
      const state = await stateOf(this.address, host).catch((error: unknown) => {
        if (isRefusedLogin(error)) throw error
        failure = error
      })
      if (state && fits[session](state)) {
        this.#last = place
        return host
      }
      if (state && session === 'prefer-standby') spare ??= host
    }
    if (spare) return spare
    if (failure instanceof Error) throw failure
    const cause = new NoFittingServer(`no server accepts target_session_attrs=${session}`)
    throw new DatabaseUnavailable('No server of the database URL fits', { cause })
  }
}

/** As in libpq, a refused login ends the search: the other servers would refuse it too. SQLSTATE class 28. */
const isRefusedLogin = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.code.startsWith('28')

async function stateOf(address: DatabaseAddress, host: HostAddress): Promise<SessionState | undefined> {
  const client = postgres({
    ...optionsOver(address, () => openSocket(host, address.connectTimeoutMs)),
    max: 1,
    fetch_types: false,
    onnotice: () => undefined,
  })
  // Without a limit, the driver reconnects forever if a proxy accepts connections and closes them.
  const timer = setTimeout(() => void client.end({ timeout: 0 }), address.connectTimeoutMs)
  try {
    const [state] = await client.unsafe<SessionState[]>(
      `select pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only') = 'on' as "isReadOnly"`,
    )
    return state
  } finally {
    clearTimeout(timer)
    await client.end({ timeout: 1 })
  }
}

/** Options for postgres.js. All of them are set, so that no PG… variable of the environment applies. */
export const driverOptions = (servers: Servers) =>
  optionsOver(servers.address, async () => openSocket(await servers.find(), servers.address.connectTimeoutMs))

function optionsOver(address: DatabaseAddress, openNext: () => Promise<Socket>) {
  const { database, user, password, options, applicationName, connectTimeoutMs, keepAliveSeconds } = address
  const [first] = address.hosts
  // Not declared in the driver's types.
  const undeclared = { socket: () => openSocketFor(openNext) }
  return {
    ...undeclared,
    // Only for the driver's messages. A list, because the driver splits a string at colons.
    host: [first?.host] as unknown as string,
    port: [first?.port] as unknown as number,
    database,
    user,
    password,
    ssl: false,
    connect_timeout: connectTimeoutMs / 1000,
    keep_alive: keepAliveSeconds,
    connection: {
      ...(options !== undefined && { options }),
      ...(applicationName !== undefined && { application_name: applicationName }),
    },
  }
}

/** Options for `pg`, which asks for the server of each connection. */
export function queueDriverOptions(servers: Servers) {
  const { database, user, password, options, applicationName, connectTimeoutMs, keepAliveSeconds } = servers.address
  return {
    database,
    user,
    password,
    connectionTimeoutMillis: servers.patienceMs + connectTimeoutMs,
    keepAlive: keepAliveSeconds > 0,
    keepAliveInitialDelayMillis: 1000 * keepAliveSeconds,
    ...(applicationName !== undefined && { application_name: applicationName }),
    ...(options !== undefined && { options }),
    /** `pg` does not fall back to a plain connection if the server has no TLS. */
    findServer: async () => {
      const server = await servers.find()
      const { host, port, tls, tlsIsOptional } = server
      const isPlain = tls !== false && tlsIsOptional && !(await serverOffersTls(server, connectTimeoutMs))
      return { host, port, ssl: isPlain ? false : tls }
    },
  }
}

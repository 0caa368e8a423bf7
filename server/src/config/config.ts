import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DatabaseUrlProblem, readDatabaseAddress, usualSchema } from '../database/databaseAddress.ts'
import { limits } from '../domain/limits.ts'
import { type CleanupSettings, usualCleanup } from '../domain/sweeps/runs/settings.ts'
import { addressWarnings } from './addressWarnings.ts'
import { ConfigReader } from './reader.ts'

export { ConfigurationError } from './reader.ts'

export interface ExternalDatabase {
  readonly kind: 'external'
  /** The login of the application. */
  readonly url: string
  /** A login that can create tables and roles. */
  readonly migrationUrl: string
  /** The connections of the job queue, which keep a session. */
  readonly directUrl: string
}

export interface ExternalBucket {
  readonly kind: 'external'
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly forcePathStyle: boolean
  readonly publicEndpoint: string
}

export interface JwtConfig {
  readonly key: { readonly kind: 'jwks'; readonly url: string } | { readonly kind: 'secret'; readonly secret: string }
  readonly algorithms: readonly string[]
  readonly issuer: string
  readonly audience: string
  readonly claims: { readonly tenant: string; readonly userId: string; readonly name: string; readonly role: string }
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

export interface Config {
  /** An absolute path. */
  readonly dataDirectory: string
  readonly http: {
    readonly host: string
    readonly port: number
    /** Without a trailing slash. Can have a path. Null if clients use the host that each of their requests names. */
    readonly publicUrl: string | null
    readonly allowedOrigins: readonly string[]
    readonly trustProxy: boolean
  }
  readonly database: { readonly kind: 'embedded' } | ExternalDatabase
  /** The schema of the tables and functions. */
  readonly databaseSchema: string
  readonly databasePoolSize: number
  readonly bucket: { readonly kind: 'embedded' } | ExternalBucket
  /** Null if tokens of a host application are not accepted. */
  readonly jwt: JwtConfig | null
  readonly session: { readonly lifetimeSeconds: number }
  readonly graphql: { readonly introspection: boolean; readonly graphiql: boolean }
  /** 0 turns the limit off. */
  readonly rateLimit: { readonly operationsPerMinute: number }
  readonly cleanup: CleanupSettings
  /** How long the API still serves after SIGTERM, so that a proxy stops sending requests to it. */
  readonly drainSeconds: number
  /** Null if nothing is measured. */
  readonly metricsPort: number | null
  readonly seedDemo: boolean
  readonly logLevel: (typeof logLevels)[number]
  /** Problems that do not prevent a start. */
  readonly warnings: readonly string[]
}

/**
 * A health check each second that fails twice is over after 3 s, and a Kubernetes service forgets an endpoint sooner. With
 * the 10 s for requests in flight, a process ends well within the 30 s that Kubernetes waits before it kills.
 */
export const drainSeconds = 5

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Reads the environment into one frozen value. Throws `ConfigurationError` with all problems at once. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const read = new ConfigReader(environment)
  const port = read.whole('PORT', 4000, 0, 65_535)
  const database = readDatabase(read)
  const http = {
    host: (read.text('HOST') ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'),
    port,
    publicUrl: readPublicUrl(read),
    allowedOrigins: readOrigins(read),
    trustProxy: read.yesNo('TRUST_PROXY', false),
  }
  const bucket = readBucket(read)
  // Only one process can have an embedded part, so no proxy can send its requests to another.
  const isAlone = database.kind === 'embedded' || bucket.kind === 'embedded'
  // No other installation can reach the local bucket of an embedded database.
  const isClosed = database.kind === 'embedded' && bucket.kind === 'embedded'
  const config: Omit<Config, 'warnings'> = {
    dataDirectory: resolve(repository, read.text('FILEGRAPH_DATA_DIR') ?? '.data'),
    http,
    database,
    databaseSchema: readDatabaseSchema(read),
    databasePoolSize: read.whole('DATABASE_POOL_SIZE', 10, 1, 1000),
    bucket,
    jwt: readJwt(read),
    session: { lifetimeSeconds: read.whole('SESSION_LIFETIME_HOURS', 168, 1, 8760) * 3600 },
    graphql: { introspection: read.yesNo('GRAPHQL_INTROSPECTION', true), graphiql: read.yesNo('GRAPHIQL', true) },
    rateLimit: { operationsPerMinute: read.whole('RATE_LIMIT_OPERATIONS_PER_MINUTE', 6000, 0, 10_000_000) },
    cleanup: { ...readCleanup(read), ...(isClosed && { settleMs: 0 }) },
    metricsPort: readMetricsPort(read, port),
    drainSeconds: read.whole('SHUTDOWN_DRAIN_SECONDS', isAlone ? 0 : drainSeconds, 0, 3600),
    seedDemo: read.yesNo('SEED_DEMO', database.kind === 'embedded'),
    logLevel: read.oneOf('LOG_LEVEL', logLevels, 'info'),
  }
  read.refuseIfAnyProblem()
  const unknown = read.unknownNames().map((name) => `${name} is not a variable of Filegraph. Correct or remove it.`)
  return deepFreeze({ ...config, warnings: [...unknown, ...addressWarnings(config)] })
}

/** Never the port of the API, which clients reach. */
function readMetricsPort(read: ConfigReader, apiPort: number): number | null {
  if (read.text('METRICS_PORT') === undefined) return null
  const port = read.whole('METRICS_PORT', 0, 0, 65_535)
  if (port !== 0 && port === apiPort) read.problem('METRICS_PORT', 'has to differ from PORT')
  return port
}

/**
 * A schema name that SQL accepts without quotes. `public` is refused, because it can hold the tables of a host
 * application.
 */
function readDatabaseSchema(read: ConfigReader): string {
  const schema = read.text('DATABASE_SCHEMA') ?? usualSchema
  if (
    !/^[a-z_][a-z0-9_]{0,62}$/.test(schema) ||
    /^(pg_.*|public|information_schema|drizzle|graphile_worker)$/.test(schema)
  ) {
    read.problem(
      'DATABASE_SCHEMA',
      'has to be a schema of its own: lower-case letters, digits and underscores, and not public',
    )
  }
  return schema
}

function readDatabase(read: ConfigReader): Config['database'] {
  const url = readDatabaseUrl(read, 'DATABASE_URL')
  const migrationUrl = readDatabaseUrl(read, 'DATABASE_MIGRATION_URL')
  const directUrl = readDatabaseUrl(read, 'DATABASE_DIRECT_URL')
  if (url === undefined) {
    if (migrationUrl !== undefined) read.problem('DATABASE_URL', 'has to be set beside DATABASE_MIGRATION_URL')
    if (directUrl !== undefined) read.problem('DATABASE_URL', 'has to be set beside DATABASE_DIRECT_URL')
    return { kind: 'embedded' }
  }
  const owner = migrationUrl ?? url
  return { kind: 'external', url, migrationUrl: owner, directUrl: directUrl ?? owner }
}

/**
 * Parses the URL here, so that a parameter that the driver does not support is reported before a connection is opened.
 */
function readDatabaseUrl(
  read: ConfigReader,
  name: 'DATABASE_URL' | 'DATABASE_MIGRATION_URL' | 'DATABASE_DIRECT_URL',
): string | undefined {
  const text = read.text(name)
  if (text === undefined) return undefined
  try {
    readDatabaseAddress(text)
    return text
  } catch (error) {
    if (!(error instanceof DatabaseUrlProblem)) throw error
    read.problem(name, error.message)
    return undefined
  }
}

function readBucket(read: ConfigReader): Config['bucket'] {
  const needed = ['S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const
  const missing = needed.filter((name) => read.text(name) === undefined)
  const endpoint = read.webAddress('S3_ENDPOINT')
  const publicEndpoint = read.webAddress('S3_PUBLIC_ENDPOINT')
  const forcePathStyle = read.yesNo('S3_FORCE_PATH_STYLE', true)
  const optional = ['S3_REGION', 'S3_FORCE_PATH_STYLE', 'S3_PUBLIC_ENDPOINT'] as const
  const isMeant = missing.length < needed.length || optional.some((name) => read.text(name) !== undefined)
  if (!isMeant) return { kind: 'embedded' }
  for (const name of missing) read.problem(name, 'has to be set too, since another part of the bucket is')
  return {
    kind: 'external',
    endpoint: endpoint ?? '',
    region: read.text('S3_REGION') ?? 'us-east-1',
    bucket: read.text('S3_BUCKET') ?? '',
    accessKeyId: read.text('S3_ACCESS_KEY_ID') ?? '',
    secretAccessKey: read.text('S3_SECRET_ACCESS_KEY') ?? '',
    forcePathStyle,
    publicEndpoint: publicEndpoint ?? endpoint ?? '',
  }
}

const jwtDetails = [
  'JWT_ALGORITHMS',
  'JWT_ISSUER',
  'JWT_AUDIENCE',
  'JWT_TENANT_CLAIM',
  'JWT_USER_CLAIM',
  'JWT_NAME_CLAIM',
  'JWT_ROLE_CLAIM',
] as const
const symmetric = ['HS256', 'HS384', 'HS512']
const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const shortestSecret = 32

function readJwt(read: ConfigReader): JwtConfig | null {
  const key = readJwtKey(read)
  if (key === null) {
    const meant = jwtDetails.find((name) => read.text(name) !== undefined)
    if (meant) read.problem('JWT_JWKS_URL', `or JWT_SECRET has to be set beside ${meant}`)
    return null
  }
  const allowed = key.kind === 'secret' ? symmetric : asymmetric
  const asked = read.list('JWT_ALGORITHMS')
  const algorithms = asked.length > 0 ? asked : key.kind === 'secret' ? ['HS256'] : ['RS256', 'ES256']
  if (algorithms.some((algorithm) => !allowed.includes(algorithm))) {
    // The algorithms are pinned to the kind of key. If a public key were used as a shared secret, anybody could
    // sign.
    read.problem('JWT_ALGORITHMS', `has to be a list of ${allowed.join(', ')}`)
  }
  for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE'] as const) {
    if (read.text(name) === undefined) read.problem(name, 'has to be set, since tokens are accepted')
  }
  return {
    key,
    algorithms,
    issuer: read.text('JWT_ISSUER') ?? '',
    audience: read.text('JWT_AUDIENCE') ?? '',
    claims: {
      tenant: read.text('JWT_TENANT_CLAIM') ?? 'tenant',
      userId: read.text('JWT_USER_CLAIM') ?? 'sub',
      name: read.text('JWT_NAME_CLAIM') ?? 'name',
      role: read.text('JWT_ROLE_CLAIM') ?? 'role',
    },
  }
}

function readJwtKey(read: ConfigReader): JwtConfig['key'] | null {
  const url = read.url('JWT_JWKS_URL', ['https:', 'http:'])
  const secret = read.text('JWT_SECRET')
  if (url !== undefined && secret !== undefined) read.problem('JWT_SECRET', 'cannot be set beside JWT_JWKS_URL')
  if (url !== undefined) return { kind: 'jwks', url }
  if (secret === undefined) return null
  if (secret.length < shortestSecret) read.problem('JWT_SECRET', `has to have at least ${shortestSecret} characters`)
  return { kind: 'secret', secret }
}

/** While an upload URL is valid, bytes can still arrive under the key of a deleted row. */
const leastPurgeGrace = {
  value: limits.uploadUrlSeconds + limits.clockSkewSeconds,
  reason: `an upload address works for ${limits.uploadUrlSeconds} seconds, and clocks can differ by ${limits.clockSkewSeconds}`,
}

/** After a database is restored to an earlier state, all newer files look like orphans. */
const leastOrphanGrace = {
  value: 3_600,
  reason:
    'after a wrong restore, somebody has to have the time to stop the deletion of files that the database does not know',
}

function readCleanup(read: ConfigReader): CleanupSettings {
  const { purgeGraceMs, orphanGraceMs, brakeObjects, brakeShare, ...usual } = usualCleanup
  return {
    ...usual,
    purgeGraceMs: read.whole('PURGE_GRACE_SECONDS', purgeGraceMs / 1000, leastPurgeGrace, 31_536_000) * 1000,
    orphanGraceMs: read.whole('ORPHAN_GRACE_SECONDS', orphanGraceMs / 1000, leastOrphanGrace, 31_536_000) * 1000,
    brakeObjects: read.whole('SWEEP_MAX_OBJECTS', brakeObjects, 1, 1_000_000_000),
    brakeShare: read.whole('SWEEP_MAX_PERCENT', brakeShare * 100, 1, 100) / 100,
    listedPerSecond: read.whole('RECONCILE_OBJECTS_PER_SECOND', usual.listedPerSecond, 100, 10_000_000),
  }
}

/** First path segments that the server itself uses. A public URL below one of them would be ambiguous. */
const ownPaths = ['assets', 'bucket', 'graphiql', 'graphql', 'healthz', 'readyz', 'session', 'sign-in', 't']

function readPublicUrl(read: ConfigReader): string | null {
  const text = read.webAddress('PUBLIC_URL')
  if (text === undefined) return null
  const url = new URL(text)
  const path = url.pathname.replace(/\/+$/, '')
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!isPlain || !/^(?:\/[\w.~-]+)*$/.test(path)) {
    read.problem('PUBLIC_URL', 'has to be scheme, host and port, with a path of letters, digits and . _ ~ - at most')
  } else if (ownPaths.includes(path.split('/')[1] ?? '')) {
    read.problem('PUBLIC_URL', `cannot have a path that begins with ${path}, which Filegraph uses itself`)
  }
  return `${url.origin}${path}`
}

function readOrigins(read: ConfigReader): readonly string[] {
  const origins = read.list('ALLOWED_ORIGINS')
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      read.problem('ALLOWED_ORIGINS', `holds "${origin}", which is not an origin without path`)
    }
  }
  return origins
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}

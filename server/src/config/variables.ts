/** One environment variable, as the table in the README shows it. */
export interface ConfigVariable {
  readonly name: string
  readonly description: string
  /** The default, in words. */
  readonly fallback: string
  readonly example: string
  /** True if the value can also be read from a file, which `<name>_FILE` names. */
  readonly isSecret?: boolean
}

/**
 * Every environment variable that Filegraph reads. `config.test.ts` compares the table in the README with this list.
 */
export const configVariables = [
  { name: 'PORT', description: 'The port of the API and the console.', fallback: '`4000`', example: '8080' },
  {
    name: 'HOST',
    description: 'The address to listen on. `0.0.0.0` for all IPv4 addresses, `::` for all.',
    fallback: '`127.0.0.1`',
    example: '0.0.0.0',
  },
  {
    name: 'PUBLIC_URL',
    description:
      'The URL at which people reach Filegraph through a proxy. Can have a path. With `https:`, cookies are secure.',
    fallback: 'scheme and host of each request',
    example: 'https://files.example.com',
  },
  {
    name: 'ALLOWED_ORIGINS',
    description:
      'Further web origins whose pages may call the API with a token and upload to the bucket. Comma-separated.',
    fallback: 'none',
    example: 'https://app.example.com,https://admin.example.com',
  },
  {
    name: 'TRUST_PROXY',
    description:
      'Take the caller’s address from `x-forwarded-for`, and scheme and host from `x-forwarded-proto` and `x-forwarded-host`. Set it only behind a proxy that sets these headers.',
    fallback: '`false`',
    example: 'true',
  },
  {
    name: 'FILEGRAPH_DATA_DIR',
    description: 'The folder of the embedded Postgres, the local bucket and the logs.',
    fallback: '`.data` in the checkout',
    example: '/srv/filegraph',
  },
  {
    name: 'DATABASE_URL',
    description:
      'The URL of a PostgreSQL 15 or newer, with the login of the application. Can name several hosts. `sslmode` sets TLS.',
    fallback: 'embedded',
    example: 'postgres://filegraph:secret@db.example.com:5432/filegraph',
    isSecret: true,
  },
  {
    name: 'DATABASE_MIGRATION_URL',
    description: 'A login for the same database that can create tables and roles.',
    fallback: '`DATABASE_URL`',
    example: 'postgres://owner:secret@db.example.com:5432/filegraph',
    isSecret: true,
  },
  {
    name: 'DATABASE_DIRECT_URL',
    description:
      'The URL for the job queue, which needs a session of its own (LISTEN). With the login of `DATABASE_MIGRATION_URL`.',
    fallback: '`DATABASE_MIGRATION_URL`',
    example: 'postgres://owner:secret@db.example.com:5432/filegraph',
    isSecret: true,
  },
  {
    name: 'DATABASE_SCHEMA',
    description:
      'The schema of the tables and functions. It is created if it is missing. To change it later, rename the schema too: a new name starts an empty installation.',
    fallback: '`filegraph`',
    example: 'files',
  },
  {
    name: 'DATABASE_POOL_SIZE',
    description: 'The number of connections of one process.',
    fallback: '`10`',
    example: '20',
  },
  {
    name: 'S3_ENDPOINT',
    description: 'The URL of an S3-compatible store.',
    fallback: 'local bucket',
    example: 'https://account.r2.cloudflarestorage.com',
  },
  { name: 'S3_BUCKET', description: 'The bucket. It must exist.', fallback: 'local bucket', example: 'files' },
  {
    name: 'S3_REGION',
    description: 'The region of the signatures. `auto` for R2.',
    fallback: '`us-east-1`',
    example: 'auto',
  },
  {
    name: 'S3_ACCESS_KEY_ID',
    description: 'The access key.',
    fallback: 'none',
    example: 'AKIAEXAMPLE',
    isSecret: true,
  },
  {
    name: 'S3_SECRET_ACCESS_KEY',
    description: 'Its secret.',
    fallback: 'none',
    example: 'a long secret',
    isSecret: true,
  },
  {
    name: 'S3_FORCE_PATH_STYLE',
    description: 'Whether the bucket is in the path (`true`) or in the host name (`false`).',
    fallback: '`true`',
    example: 'false',
  },
  {
    name: 'S3_PUBLIC_ENDPOINT',
    description: 'The URL of the store for browsers, if it differs.',
    fallback: '`S3_ENDPOINT`',
    example: 'https://s3.example.com',
  },
  {
    name: 'JWT_JWKS_URL',
    description: 'The URL of the key set that verifies tokens of a host application.',
    fallback: 'no tokens',
    example: 'https://id.example.com/.well-known/jwks.json',
  },
  {
    name: 'JWT_SECRET',
    description: 'A shared secret of at least 32 characters, instead of a key set.',
    fallback: 'no tokens',
    example: 'at least thirty-two characters long',
    isSecret: true,
  },
  {
    name: 'JWT_ALGORITHMS',
    description: 'The accepted algorithms, comma-separated. Symmetric ones need a secret, the others a key set.',
    fallback: '`HS256` or `RS256,ES256`',
    example: 'ES256',
  },
  {
    name: 'JWT_ISSUER',
    description: 'The required value of `iss`. Required if tokens are accepted.',
    fallback: 'none',
    example: 'https://id.example.com/',
  },
  {
    name: 'JWT_AUDIENCE',
    description: 'The required value in `aud`. Required if tokens are accepted.',
    fallback: 'none',
    example: 'filegraph',
  },
  {
    name: 'JWT_TENANT_CLAIM',
    description: 'The claim with the tenant’s slug or id. A dot selects a nested claim.',
    fallback: '`tenant`',
    example: 'org.slug',
  },
  { name: 'JWT_USER_CLAIM', description: 'The claim with the user’s id.', fallback: '`sub`', example: 'user_id' },
  {
    name: 'JWT_NAME_CLAIM',
    description: 'The claim with the display name.',
    fallback: '`name`',
    example: 'nickname',
  },
  {
    name: 'JWT_ROLE_CLAIM',
    description: 'The claim with `VIEWER`, `MEMBER`, `ADMIN` or `OWNER`.',
    fallback: '`role`',
    example: 'https://example.com/role',
  },
  {
    name: 'SESSION_LIFETIME_HOURS',
    description: 'The lifetime of a console session.',
    fallback: '`168`',
    example: '12',
  },
  {
    name: 'GRAPHQL_INTROSPECTION',
    description: 'Allow introspection of the schema.',
    fallback: '`true`',
    example: 'false',
  },
  { name: 'GRAPHIQL', description: 'Serve GraphiQL at `/graphiql`.', fallback: '`true`', example: 'false' },
  {
    name: 'RATE_LIMIT_OPERATIONS_PER_MINUTE',
    description: 'The number of operations that one principal may send to one process in a minute. `0` for no limit.',
    fallback: '`6000`',
    example: '600',
  },
  {
    name: 'PURGE_GRACE_SECONDS',
    description:
      'How long released bytes stay before they are deleted. They count against the quota until then. At least 660: an upload URL is valid for 600 s.',
    fallback: '`900`',
    example: '86400',
  },
  {
    name: 'ORPHAN_GRACE_SECONDS',
    description: 'How long an object without a row is watched before it is deleted. At least 3600.',
    fallback: '`86400`',
    example: '604800',
  },
  {
    name: 'SWEEP_MAX_OBJECTS',
    description: 'A sweep that would delete more objects of a tenant stops before it deletes any.',
    fallback: '`100000`',
    example: '10000',
  },
  {
    name: 'SWEEP_MAX_PERCENT',
    description:
      'A sweep that would delete more than 1,000 objects and more than this percentage of a tenant’s objects stops, too.',
    fallback: '`50`',
    example: '10',
  },
  {
    name: 'RECONCILE_OBJECTS_PER_SECOND',
    description:
      'The maximum number of objects that a reconcile lists in a second. A separate worker can use a higher value.',
    fallback: '`2000`',
    example: '100000',
  },
  {
    name: 'METRICS_PORT',
    description:
      'Port of `/metrics` for Prometheus, on the address of `HOST` and without credentials. Every process has its own.',
    fallback: 'no metrics',
    example: '9464',
  },
  {
    name: 'SHUTDOWN_DRAIN_SECONDS',
    description:
      'How long a process that got SIGTERM still serves while `/readyz` answers 503, so that a proxy stops sending to it.',
    fallback: '`5`, or `0` with an embedded part',
    example: '15',
  },
  {
    name: 'SEED_DEMO',
    description: 'Create a demo with known passwords in an empty database.',
    fallback: '`true` with the embedded Postgres, `false` with another',
    example: 'false',
  },
  {
    name: 'LOG_LEVEL',
    description: '`trace`, `debug`, `info`, `warn`, `error` or `silent`.',
    fallback: '`info`',
    example: 'warn',
  },
] as const satisfies readonly ConfigVariable[]

/** The variables whose value can also be read from a file. */
export const secretVariables: readonly ConfigVariableName[] = configVariables
  .filter((variable: ConfigVariable) => variable.isSecret)
  .map(({ name }) => name)

export type ConfigVariableName = (typeof configVariables)[number]['name']

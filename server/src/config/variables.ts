/** One environment variable, as the table in the README shows it. */
export interface ConfigVariable {
  readonly name: string
  readonly description: string
  /** The default, in words. */
  readonly fallback: string
  readonly example: string
}

/**
 * Every environment variable that Filegraph reads. `config.test.ts` compares the table in the README with this list.
 */
export const configVariables = [
  { name: 'PORT', description: 'Port of the API and the console.', fallback: '`4000`', example: '8080' },
  {
    name: 'HOST',
    description: 'Address to listen on. `0.0.0.0` for all IPv4 addresses, `::` for all.',
    fallback: '`127.0.0.1`',
    example: '0.0.0.0',
  },
  {
    name: 'PUBLIC_URL',
    description:
      'The URL at which people reach Filegraph through a proxy; may have a path. With `https:` cookies become secure.',
    fallback: 'scheme and host of each request',
    example: 'https://files.example.com',
  },
  {
    name: 'ALLOWED_ORIGINS',
    description:
      'Further web origins, comma-separated, whose pages may call the API with a token and upload to the bucket.',
    fallback: 'none',
    example: 'https://app.example.com,https://admin.example.com',
  },
  {
    name: 'TRUST_PROXY',
    description:
      'Take the caller’s address from `x-forwarded-for`, and scheme and host from `x-forwarded-proto` and `x-forwarded-host`. Only behind a proxy that sets them.',
    fallback: '`false`',
    example: 'true',
  },
  {
    name: 'FILEGRAPH_DATA_DIR',
    description: 'Folder of the embedded Postgres, the local bucket and the logs.',
    fallback: '`.data` in the checkout',
    example: '/srv/filegraph',
  },
  {
    name: 'DATABASE_URL',
    description:
      'PostgreSQL 15 or newer, in place of the embedded one: the login that the application uses. TLS by `sslmode`.',
    fallback: 'embedded',
    example: 'postgres://filegraph:secret@db.example.com:5432/filegraph',
  },
  {
    name: 'DATABASE_MIGRATION_URL',
    description: 'A login for the same database that may create tables and roles.',
    fallback: '`DATABASE_URL`',
    example: 'postgres://owner:secret@db.example.com:5432/filegraph',
  },
  {
    name: 'DATABASE_SCHEMA',
    description:
      'The schema of the tables and functions. It is created if it is missing. To change it later, rename the schema too: a new name starts an empty installation.',
    fallback: '`filegraph`',
    example: 'files',
  },
  { name: 'DATABASE_POOL_SIZE', description: 'Connections of one process.', fallback: '`10`', example: '20' },
  {
    name: 'S3_ENDPOINT',
    description: 'An S3-compatible store, in place of the local bucket.',
    fallback: 'local bucket',
    example: 'https://account.r2.cloudflarestorage.com',
  },
  { name: 'S3_BUCKET', description: 'The bucket in it. It has to exist.', fallback: 'local bucket', example: 'files' },
  {
    name: 'S3_REGION',
    description: 'The region to sign for; `auto` for R2.',
    fallback: '`us-east-1`',
    example: 'auto',
  },
  { name: 'S3_ACCESS_KEY_ID', description: 'The access key.', fallback: 'none', example: 'AKIAEXAMPLE' },
  { name: 'S3_SECRET_ACCESS_KEY', description: 'Its secret.', fallback: 'none', example: 'a long secret' },
  {
    name: 'S3_FORCE_PATH_STYLE',
    description: 'The bucket stands in the path (`true`) or in the host name (`false`).',
    fallback: '`true`',
    example: 'false',
  },
  {
    name: 'S3_PUBLIC_ENDPOINT',
    description: 'The store as browsers reach it, where that differs.',
    fallback: '`S3_ENDPOINT`',
    example: 'https://s3.example.com',
  },
  {
    name: 'JWT_JWKS_URL',
    description: 'Key set of a host application whose tokens are accepted.',
    fallback: 'no tokens',
    example: 'https://id.example.com/.well-known/jwks.json',
  },
  {
    name: 'JWT_SECRET',
    description: 'A shared secret of at least 32 characters instead of a key set.',
    fallback: 'no tokens',
    example: 'at least thirty-two characters long',
  },
  {
    name: 'JWT_ALGORITHMS',
    description: 'Accepted algorithms, comma-separated. Symmetric ones go with a secret, the others with a key set.',
    fallback: '`HS256` or `RS256,ES256`',
    example: 'ES256',
  },
  {
    name: 'JWT_ISSUER',
    description: 'What `iss` has to be. Needed when tokens are accepted.',
    fallback: 'none',
    example: 'https://id.example.com/',
  },
  {
    name: 'JWT_AUDIENCE',
    description: 'What `aud` has to hold. Needed when tokens are accepted.',
    fallback: 'none',
    example: 'filegraph',
  },
  {
    name: 'JWT_TENANT_CLAIM',
    description: 'Claim that holds the tenant’s slug or id. Dots lead into objects.',
    fallback: '`tenant`',
    example: 'org.slug',
  },
  { name: 'JWT_USER_CLAIM', description: 'Claim that holds the user’s id.', fallback: '`sub`', example: 'user_id' },
  {
    name: 'JWT_NAME_CLAIM',
    description: 'Claim that holds the name to show.',
    fallback: '`name`',
    example: 'nickname',
  },
  {
    name: 'JWT_ROLE_CLAIM',
    description: 'Claim that holds `VIEWER`, `MEMBER`, `ADMIN` or `OWNER`.',
    fallback: '`role`',
    example: 'https://example.com/role',
  },
  {
    name: 'SESSION_LIFETIME_HOURS',
    description: 'How long a sign-in to the console lasts.',
    fallback: '`168`',
    example: '12',
  },
  {
    name: 'GRAPHQL_INTROSPECTION',
    description: 'Answer questions about the schema.',
    fallback: '`true`',
    example: 'false',
  },
  { name: 'GRAPHIQL', description: 'Serve GraphiQL at `/graphiql`.', fallback: '`true`', example: 'false' },
  {
    name: 'RATE_LIMIT_OPERATIONS_PER_MINUTE',
    description: 'Operations that one principal may send to one process in a minute; `0` for no bound.',
    fallback: '`6000`',
    example: '600',
  },
  {
    name: 'PURGE_GRACE_SECONDS',
    description:
      'How long released bytes stay before they are deleted, and count against the quota. At least 660: an upload address works for 600 s.',
    fallback: '`900`',
    example: '86400',
  },
  {
    name: 'ORPHAN_GRACE_SECONDS',
    description: 'How long an object that no row knows is watched before it is deleted. At least 3600.',
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
    description: 'So does one that would delete more than this part of a tenant’s objects, from 1,000 on.',
    fallback: '`50`',
    example: '10',
  },
  {
    name: 'RECONCILE_OBJECTS_PER_SECOND',
    description: 'Objects that a reconcile lists in a second, at most. A worker of its own bears more.',
    fallback: '`2000`',
    example: '100000',
  },
  {
    name: 'SEED_DEMO',
    description: 'Put a demo with known passwords into an empty database.',
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

export type ConfigVariableName = (typeof configVariables)[number]['name']

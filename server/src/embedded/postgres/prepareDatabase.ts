import postgres from 'postgres'
import type { Secrets } from '../folder/dataDirectory.ts'

export type PostgresSecrets = Pick<
  Secrets,
  'postgresSuperuserPassword' | 'postgresOwnerPassword' | 'postgresApiPassword'
>

const database = 'filegraph'
const ownerLogin = 'filegraph'
const apiLogin = 'filegraph_api'

/** The URLs of an embedded server on `port`. */
export function embeddedUrls(port: number, secrets: PostgresSecrets) {
  const address = (user: string, password: string, name: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${name}`
  return {
    url: address(apiLogin, secrets.postgresApiPassword, database),
    migrationUrl: address(ownerLogin, secrets.postgresOwnerPassword, database),
    superuserUrl: address('postgres', secrets.postgresSuperuserPassword, 'postgres'),
  }
}

/**
 * Creates the database and its two logins if they are missing. The owner has all rights inside its database and is not
 * a superuser. The application's login has no rights of its own.
 */
export async function prepareDatabase(superuserUrl: string, secrets: PostgresSecrets): Promise<void> {
  const client = postgres(superuserUrl, { max: 1, onnotice: () => undefined })
  try {
    await ensureLogin(client, ownerLogin, secrets.postgresOwnerPassword, 'createrole')
    await ensureLogin(client, apiLogin, secrets.postgresApiPassword, '')
    const [found] = await client`select from pg_database where datname = ${database}`
    if (!found) await client.unsafe(`create database ${database} owner ${ownerLogin}`)
  } finally {
    await client.end()
  }
}

/** Generated passwords are hexadecimal digits, so nothing needs escaping. */
async function ensureLogin(client: postgres.Sql, name: string, password: string, rights: string): Promise<void> {
  const [role] = await client`select from pg_roles where rolname = ${name}`
  const verb = role ? 'alter' : 'create'
  await client.unsafe(`${verb} role ${name} login ${rights} password '${password}'`)
}

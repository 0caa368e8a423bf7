import { createServer, connect, type Server, type Socket, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandsIn } from '../src/cli/testing/command.ts'
import { Filegraph, runFilegraph, temporaryFolder } from '../src/cli/testing/filegraph.ts'
import { startTestBucket, type TestBucket } from './testBucket.ts'
import { createEmptyDatabase } from './testDatabase.ts'

type Database = Awaited<ReturnType<typeof createEmptyDatabase>>

let database: Database
let bucket: TestBucket
let folder: ReturnType<typeof temporaryFolder>
let pooler: Server

beforeAll(async () => {
  database = await createEmptyDatabase()
  bucket = await startTestBucket(() => new Date())
  folder = temporaryFolder()
  pooler = await startPooler(database.superuserUrl)
  expect(await commandsIn(parts(database.superuserUrl))('migrate')).toMatchObject({ code: 0, stderr: '' })
})

afterAll(async () => {
  pooler.close()
  folder.remove()
  await bucket.close()
  await database.drop()
})

const parts = (url: string, more: Record<string, string> = {}) => ({
  DATABASE_URL: url,
  DATABASE_MIGRATION_URL: database.superuserUrl,
  S3_ENDPOINT: bucket.options.endpoint,
  S3_BUCKET: bucket.options.bucket,
  S3_ACCESS_KEY_ID: bucket.options.accessKeyId,
  S3_SECRET_ACCESS_KEY: bucket.options.secretAccessKey,
  FILEGRAPH_DATA_DIR: folder.path,
  PORT: '0',
  ...more,
})

const through = (port: number) => Object.assign(new URL(database.superuserUrl), { port: String(port) }).href
const poolerUrl = () => through((pooler.address() as AddressInfo).port)

/**
 * Between application and PostgreSQL, like PgBouncer before 1.20: a startup parameter that it does not know is refused.
 * https://www.pgbouncer.org/config.html#ignore_startup_parameters
 */
async function startPooler(url: string): Promise<Server> {
  const { hostname, port } = new URL(url)
  const server = createServer((client: Socket) => {
    client.on('error', () => client.destroy())
    client.once('data', (startup) => {
      if (startup.includes('role\0')) return client.end(refusal('unsupported startup parameter: role'))
      const upstream = connect(Number(port), hostname)
      upstream.on('error', () => client.destroy())
      client.on('close', () => upstream.destroy())
      upstream.write(startup)
      return client.pipe(upstream).pipe(client)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** https://www.postgresql.org/docs/18/protocol-message-formats.html, ErrorResponse */
function refusal(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C08P01\0M${message}\0\0`)
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

const unusable = 'postgres://postgres:hidden@'
const cases: readonly (readonly [string, () => string, string])[] = [
  ['a pooler that refuses its settings', poolerUrl, 'a connection pooler refuses what the application sets'],
  ['a wrong password', () => database.superuserUrl.replace(/:[^:@]+@/, ':hidden@'), 'it refuses the login'],
  ['a database that is not there', () => database.superuserUrl.replace(/\/[^/]+$/, '/none'), 'it has no such database'],
  ['an address where nothing listens', () => `${unusable}127.0.0.1:9/files`, 'nothing listens at its address'],
  ['a name that cannot be resolved', () => `${unusable}db.invalid/files`, 'its host name cannot be resolved'],
  ['a server without TLS', () => `${database.superuserUrl}?sslmode=require`, 'TLS: '],
]

describe.each(cases)('with %s in DATABASE_URL', (_, url, reason) => {
  it('start names the variable and the reason, and never reports that it is up', async () => {
    const { code, stdout, stderr } = await runFilegraph(['start'], parts(url()))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`The database (DATABASE_URL) cannot be used: ${reason}`)
    expect(stderr).not.toContain('hidden')
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('doctor says that the application cannot connect', async () => {
    const { code, stdout } = await commandsIn(parts(url()))('doctor')
    expect(code).toBe(1)
    expect(stdout).toMatch(/MISSING {2}connection of the application: .*\n/)
    expect(stdout).toContain(reason)
  })
})

it('doctor accepts the database itself behind that pooler', async () => {
  const { stdout } = await commandsIn(parts(poolerUrl()))('doctor')
  expect(stdout).toMatch(/ok {7}database: PostgreSQL/)
})

it('start names the variable of the migration login', async () => {
  const env = parts(database.superuserUrl, { DATABASE_MIGRATION_URL: `${unusable}db.invalid/files` })
  const { code, stdout, stderr } = await runFilegraph(['start'], env)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('The database (DATABASE_MIGRATION_URL) cannot be used: its host name cannot be resolved')
})

it.each([
  [{ S3_ENDPOINT: 'http://127.0.0.1:9' }, 'nothing listens at its address'],
  [{ S3_ENDPOINT: 'http://s3.invalid' }, 'its host name cannot be resolved'],
  [{ S3_BUCKET: 'another-bucket' }, 'it has no such bucket'],
  [{ S3_SECRET_ACCESS_KEY: 'wrong' }, 'it refuses the credentials'],
])('start names the bucket and the reason: %o', { timeout: 60_000 }, async (more, reason) => {
  const { code, stdout, stderr } = await runFilegraph(['start'], parts(database.superuserUrl, more))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(`The bucket (S3_ENDPOINT) cannot be used: ${reason}`)
})

it('start names an unsupported parameter of DATABASE_URL', async () => {
  const { code, stderr } = await runFilegraph(['start'], parts(`${database.superuserUrl}?channel_binding=require`))
  expect(code).toBe(1)
  expect(stderr).toContain('DATABASE_URL has the parameter channel_binding=require, which is not supported')
})

it('api listens, logs why it is not up, and is not ready', async () => {
  const api = new Filegraph(['api'], parts(poolerUrl(), { PORT: '0' }))
  try {
    await expect.poll(() => api.stdout, { timeout: 20_000 }).toContain('a connection pooler refuses')
    await expect.poll(() => api.stdout, { timeout: 20_000 }).toContain('The API listens and cannot do its work yet.')
    expect(api.stdout).not.toContain('The API is up')
  } finally {
    await api.stop()
  }
})

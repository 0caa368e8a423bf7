import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import postgres from 'postgres'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestPostgres } from '../embedded/postgres/startTestPostgres.ts'
import { openJobPool } from '../jobs/jobQueue.ts'
import { connect } from './connection.ts'
import { migrate } from './migrate.ts'
import { queueDriverOptions, Servers } from './servers.ts'

let server: Awaited<ReturnType<typeof startTestPostgres>>
let folder: string
let authority: string
let stranger: string

beforeAll(async () => {
  server = await startTestPostgres()
  folder = mkdtempSync(join(tmpdir(), 'filegraph-tls-'))
  await migrate(server.url)
  const [own, other] = await Promise.all([makeCertificate(), makeCertificate()])
  authority = join(folder, 'authority.pem')
  stranger = join(folder, 'stranger.pem')
  writeFileSync(authority, own.cert)
  writeFileSync(stranger, other.cert)
  await serveTls(own)
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.stop()
})

/** Its own authority, for the name localhost and for no address. */
const makeCertificate = () =>
  generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  })

/** The server's own user writes the files, as nobody else may read the key. */
async function serveTls({ cert, private: key }: { cert: string; private: string }): Promise<void> {
  const client = postgres(server.url, { max: 1, onnotice: () => undefined })
  for (const [name, text] of Object.entries({ 'server.crt': cert, 'server.key': key })) {
    const lines = text.trim().replaceAll('\r', '').split('\n')
    await client.unsafe(
      `copy (values ${lines.map((line) => `('${line}')`).join(', ')}) to program 'umask 077; cat > ${name}'`,
    )
  }
  await client.unsafe('alter system set ssl = on')
  await client.unsafe('select pg_reload_conf()')
  await vi.waitFor(async () => expect((await client`show ssl`)[0]?.['ssl']).toBe('on'), 10_000)
  await client.end()
}

const urlTo = (host: string, query: string) => `${Object.assign(new URL(server.url), { hostname: host }).href}?${query}`

const isEncrypted = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'

/** Of the application's driver: whether the connection is encrypted, or the code of what went wrong. */
async function asApplication(url: string): Promise<unknown> {
  const client = connect({ url, applicationName: 'test' }, () => undefined)
  try {
    // As the superuser, since others do not see the view's rows.
    await client.unsafe('set role none')
    return (await client.unsafe(isEncrypted))[0]?.['ssl']
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await client.end({ timeout: 1 })
  }
}

/** Of the driver of the job queue: the same. */
async function asQueue(url: string): Promise<unknown> {
  const pool = openJobPool(queueDriverOptions(new Servers(url)), 1, pino({ level: 'silent' }))
  try {
    const { rows } = (await pool.query(isEncrypted)) as { rows: { ssl: boolean }[] }
    return rows[0]?.ssl
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await pool.end()
  }
}

const wrongName = 'ERR_TLS_CERT_ALTNAME_INVALID'
const unknownAuthority = 'DEPTH_ZERO_SELF_SIGNED_CERT'

describe.each([
  ['the application', asApplication],
  ['the job queue', asQueue],
])('sslmode of %s', (_, ask) => {
  it.each([
    ['localhost', '', false],
    ['localhost', 'sslmode=disable', false],
    ['localhost', 'sslmode=prefer', true],
    ['localhost', 'sslmode=require', true],
    ['127.0.0.1', 'sslmode=require', true],
    ['localhost', 'sslmode=verify-ca', unknownAuthority],
    ['localhost', 'sslmode=verify-full', unknownAuthority],
    ['localhost', 'sslrootcert=system', unknownAuthority],
  ])('%s %s: %s', async (host, query, expected) => {
    expect(await ask(urlTo(host, query))).toBe(expected)
  })

  it('verifies certificate and name as the mode requires', async () => {
    const modes = async (host: string, file: string) =>
      Promise.all(
        ['require', 'verify-ca', 'verify-full'].map((mode) => ask(urlTo(host, `sslmode=${mode}&sslrootcert=${file}`))),
      )
    expect(await modes('localhost', authority)).toEqual([true, true, true])
    expect(await modes('127.0.0.1', authority)).toEqual([true, true, wrongName])
    expect(await modes('localhost', stranger)).toEqual([unknownAuthority, unknownAuthority, unknownAuthority])
  })
})

it('falls back to a plain connection for prefer only', async () => {
  const plain = await startTestPostgres()
  const url = (mode: string) => `${plain.url}?sslmode=${mode}`
  try {
    await migrate(plain.url)
    expect(await Promise.all([asApplication(url('prefer')), asQueue(url('prefer'))])).toEqual([false, false])
    expect(await asApplication(url('require'))).toEqual(expect.any(String))
    expect(await asQueue(url('require'))).toEqual(expect.any(String))
  } finally {
    await plain.stop()
  }
})

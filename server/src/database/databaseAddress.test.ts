import { describe, expect, it } from 'vitest'
import { DatabaseUrlProblem, driverOptions, readDatabaseAddress } from './databaseAddress.ts'

describe('a database URL', () => {
  it.each([
    ['postgres://app:secret@db.example.com/files', 'db.example.com', 5432, 'files', 'app', 'secret'],
    ['postgresql://app@db.example.com:6432/files', 'db.example.com', 6432, 'files', 'app', ''],
    ['postgres://app:p%40ss%2Fw%3Frd%25@[2001:db8::1]:5433/files', '2001:db8::1', 5433, 'files', 'app', 'p@ss/w?rd%'],
    ['postgres://b%C3%BCro:ge%20heim@127.0.0.1/%E6%96%87', '127.0.0.1', 5432, '文', 'büro', 'ge heim'],
    ['postgres://app@%2Frun%2Fpostgresql/files', '/run/postgresql', 5432, 'files', 'app', ''],
    ['postgres://app@/files?host=/run/postgresql', '/run/postgresql', 5432, 'files', 'app', ''],
    ['postgres://app@localhost', 'localhost', 5432, 'app', 'app', ''],
  ])('is parsed into its parts: %s', (url, host, port, database, user, password) => {
    expect(readDatabaseAddress(url)).toMatchObject({ host, port, database, user, password, tls: false })
  })

  it.each([
    ['channel_binding=require', 'channel_binding=require'],
    ['pgbouncer=true', 'pgbouncer=true'],
    ['schema=public', 'schema=public'],
    ['sslmode=require&connection_limit=5', 'connection_limit=5'],
    ['sslmode=on', 'sslmode=on'],
    ['sslmode=require&sslrootcert=system', 'sslrootcert=system'],
    ['sslmode=verify-full&sslrootcert=/nowhere/ca.pem', 'sslrootcert=/nowhere/ca.pem, which cannot be read (ENOENT)'],
  ])('is refused with the name of an unsupported parameter: %s', (query, named) => {
    const read = () => readDatabaseAddress(`postgres://app:hidden@db/files?${query}`)
    expect(read).toThrow(DatabaseUrlProblem)
    expect(read).toThrow(named)
    expect(read).not.toThrow('hidden')
  })

  it.each([
    'mysql://app@db/files',
    'db.example.com/files',
    'postgres://a:1,b:2/files',
    'postgres://a,b/files',
    'postgres://a%@b/c',
  ])('is refused if it is malformed: %s', (url) => {
    expect(() => readDatabaseAddress(url)).toThrow(DatabaseUrlProblem)
  })

  it.each([
    'channel_binding=prefer',
    'gssencmode=disable',
    'target_session_attrs=read-write',
    'sslnegotiation=postgres',
  ])('can contain parameters that ask for the default: %s', (query) => {
    expect(readDatabaseAddress(`postgres://app@db/files?${query}`).host).toBe('db')
  })
})

describe('sslmode', () => {
  const tlsOf = (query: string, host = 'db.example.com') =>
    readDatabaseAddress(`postgres://app@${host}/files?${query}`).tls

  it.each(['', 'sslmode=disable'])('disables TLS: %s', (query) => {
    expect(tlsOf(query)).toBe(false)
  })

  it.each([
    ['sslmode=prefer', false],
    ['sslmode=require', false],
    ['sslmode=verify-ca', true],
    ['sslmode=verify-full', true],
    ['sslrootcert=system', true],
  ])('verifies the certificate or not: %s', (query, rejectUnauthorized) => {
    expect(tlsOf(query)).toMatchObject({ rejectUnauthorized, servername: 'db.example.com' })
  })

  it('verifies the certificate if a root certificate is given, as libpq does', () => {
    const file = import.meta.filename
    expect(tlsOf(`sslmode=require&sslrootcert=${file}`)).toMatchObject({
      rejectUnauthorized: true,
      ca: expect.any(Buffer),
    })
  })

  it('sends no server name for an IP address, and uses no TLS on a Unix socket', () => {
    expect(tlsOf('sslmode=require', '10.0.0.7')).not.toHaveProperty('servername')
    expect(tlsOf('sslmode=require&host=/run/postgresql')).toBe(false)
  })

  it('lets postgres.js fall back to a plain connection only for prefer', () => {
    const sslOf = (mode: string) => driverOptions(readDatabaseAddress(`postgres://app@db/files?sslmode=${mode}`)).ssl
    expect(sslOf('prefer')).toBe('prefer')
    expect(sslOf('require')).toMatchObject({ rejectUnauthorized: false })
    expect(sslOf('disable')).toBe(false)
  })
})

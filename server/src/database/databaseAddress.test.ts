import { describe, expect, it } from 'vitest'
import { DatabaseUrlProblem, readDatabaseAddress } from './databaseAddress.ts'

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
    expect(readDatabaseAddress(url)).toMatchObject({
      hosts: [{ host, port, tls: false }],
      database,
      user,
      password,
    })
  })

  it.each([
    ['channel_binding=require', 'channel_binding=require'],
    ['channel_binding=require', 'sslmode=verify-full'],
    ['pgbouncer=true', 'pgbouncer=true'],
    ['target_session_attrs=writable', 'target_session_attrs=writable'],
    ['connect_timeout=soon', 'connect_timeout=soon'],
    ['keepalives_count=few', 'keepalives_count=few'],
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
    'postgres://a:0/files',
    'postgres://a:1:2/files',
    'postgres://2001:db8::1/files',
    'postgres://app@a:1,b:2/files?port=1,2,3',
    'postgres://a%@b/c',
  ])('is refused if it is malformed: %s', (url) => {
    expect(() => readDatabaseAddress(url)).toThrow(DatabaseUrlProblem)
  })

  it.each([
    'channel_binding=prefer',
    'gssencmode=disable',
    'sslnegotiation=postgres',
    'load_balance_hosts=disable',
    'keepalives_interval=10&keepalives_count=3',
  ])('can contain parameters that ask for the default: %s', (query) => {
    expect(readDatabaseAddress(`postgres://app@db/files?${query}`).hosts).toMatchObject([{ host: 'db' }])
  })

  it.each([
    ['postgres://u:p@a:1,b:2/db', 'a:1 b:2'],
    ['postgres://u@a,b:6432,[2001:db8::1]/db', 'a:5432 b:6432 2001:db8::1:5432'],
    ['postgres://u@/db?host=a,b&port=6432', 'a:6432 b:6432'],
    ['postgres://u@/db?host=a,b&port=1,2', 'a:1 b:2'],
    ['postgres://u@ignored:9/db?host=/run/postgresql,b&port=,7', '/run/postgresql:5432 b:7'],
  ])('names several hosts: %s', (url, hosts) => {
    const address = readDatabaseAddress(url)
    expect(address.hosts.map(({ host, port }) => `${host}:${port}`).join(' ')).toBe(hosts)
    expect(address).toMatchObject({ user: 'u', database: 'db' })
  })

  it.each([
    ['a', '', 'any', 5000],
    ['a,b', '', 'read-write', 2000],
    ['a,b', 'target_session_attrs=any', 'any', 2000],
    ['a', 'target_session_attrs=standby&connect_timeout=7', 'standby', 7000],
    ['a', 'connect_timeout=0', 'any', 5000],
  ])('on %s with %s wants a server that is %s', (hosts, query, session, connectTimeoutMs) => {
    expect(readDatabaseAddress(`postgres://u@${hosts}/db?${query}`)).toMatchObject({ session, connectTimeoutMs })
  })

  it('names the application and the idle time before a keepalive', () => {
    const read = (query: string) => readDatabaseAddress(`postgres://u@a/db?${query}`)
    expect(read('application_name=files%20eu').applicationName).toBe('files eu')
    expect(read('').keepAliveSeconds).toBe(60)
    expect(read('keepalives=0&keepalives_idle=5').keepAliveSeconds).toBe(0)
    expect(read('keepalives_idle=5').keepAliveSeconds).toBe(5)
  })
})

describe('sslmode', () => {
  const tlsOf = (query: string, host = 'db.example.com') =>
    readDatabaseAddress(`postgres://app@${host}/files?${query}`).hosts[0]?.tls

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

  it('accepts a server without TLS only if the URL allows it', () => {
    const accepts = (mode: string) =>
      readDatabaseAddress(`postgres://app@db/files?sslmode=${mode}`).hosts[0]?.tlsIsOptional
    expect(['allow', 'prefer', 'require', 'verify-full'].map(accepts)).toEqual([true, true, false, false])
  })

  it('checks the name of each host', () => {
    const { hosts } = readDatabaseAddress('postgres://app@a.example.com,b.example.com/files?sslmode=verify-full')
    expect(hosts.map(({ tls }) => tls && tls.servername)).toEqual(['a.example.com', 'b.example.com'])
  })
})

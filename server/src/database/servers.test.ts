import { createServer } from 'node:net'
import { pino } from 'pino'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReplicatedPostgres, startReplicatedPostgres } from '../../test/replicatedPostgres.ts'
import { openJobPool } from '../jobs/jobQueue.ts'
import { errorCodeOf } from './databaseUnavailable.ts'
import { driverOptions, queueDriverOptions, Servers } from './servers.ts'

let pair: ReplicatedPostgres

beforeAll(async () => {
  pair = await startReplicatedPostgres()
}, 120_000)

afterAll(() => pair.stop())

/** A port at which nothing listens: the highest numbers are not given out by themselves. */
const nobody = 65_534

const urlOf = (ports: readonly number[], query: string) =>
  `postgres://postgres:test@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/filegraph?${query}`

/** The port of the server that a driver of the application reached, or the code of what went wrong. */
async function asApplication(servers: Servers): Promise<unknown> {
  const client = postgres({ ...driverOptions(servers), max: 1 })
  try {
    return (await client`select inet_server_port() as port`)[0]?.['port']
  } catch (error) {
    return errorCodeOf(error)
  } finally {
    await client.end({ timeout: 1 })
  }
}

/** The same for the driver of the job queue. */
async function asQueue(servers: Servers): Promise<unknown> {
  const pool = openJobPool(queueDriverOptions(servers), 1, pino({ level: 'silent' }))
  try {
    const { rows } = (await pool.query('select inet_server_port() as port')) as { rows: { port: number }[] }
    return rows[0]?.port
  } catch (error) {
    return errorCodeOf(error)
  } finally {
    await pool.end()
  }
}

describe.each([
  ['the application', asApplication],
  ['the job queue', asQueue],
])('target_session_attrs of %s', (_, ask) => {
  it.each([
    ['', 'primary'],
    ['target_session_attrs=any', 'standby'],
    ['target_session_attrs=read-write', 'primary'],
    ['target_session_attrs=primary', 'primary'],
    ['target_session_attrs=read-only', 'standby'],
    ['target_session_attrs=standby', 'standby'],
    ['target_session_attrs=prefer-standby', 'standby'],
  ] as const)('chooses among a standby and its primary: %s %s', async (query, expected) => {
    const { primary, standby } = pair
    const servers = new Servers(urlOf([nobody, standby.port, primary.port], query))
    expect(await ask(servers)).toBe({ primary, standby }[expected].port)
  })

  it('takes a primary where no standby is, if one is only preferred', async () => {
    const { port } = pair.primary
    expect(await ask(new Servers(urlOf([port], 'target_session_attrs=prefer-standby')))).toBe(port)
    expect(await ask(new Servers(urlOf([port], 'target_session_attrs=standby')))).toBe('25006')
  })

  it('ends with the first server that refuses the login', async () => {
    const url = urlOf([pair.standby.port, pair.primary.port], '').replace('postgres:test', 'postgres:wrong')
    expect(await ask(new Servers(url))).toBe('28P01')
  })

  it('reports that nobody listens', async () => {
    expect(await ask(new Servers(urlOf([nobody, nobody], '')))).toBe('ECONNREFUSED')
  })
})

it('asks a host that does not answer once, and not for every connection', async () => {
  let asked = 0
  const silent = createServer(() => (asked += 1)).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as { port: number }
  const servers = new Servers(urlOf([port, pair.primary.port], 'connect_timeout=1'))
  try {
    const ports = await Promise.all([asApplication(servers), asQueue(servers), asApplication(servers)])
    expect(new Set([...ports, await asQueue(servers)])).toEqual(new Set([pair.primary.port]))
    expect(asked).toBe(1)
  } finally {
    silent.close()
  }
})

it('opens a connection under the name of the URL', async () => {
  const client = postgres({
    ...driverOptions(new Servers(urlOf([pair.primary.port], 'application_name=files%20eu'))),
    max: 1,
  })
  expect(await client`show application_name`).toEqual([{ application_name: 'files eu' }])
  await client.end()
})

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Environment, Filegraph, processesOf, runFilegraph, temporaryFolder } from '../cli/testing/filegraph.ts'

const patience = { timeout: 120_000 }

let base: ReturnType<typeof temporaryFolder>
const started = new Set<Filegraph>()

beforeAll(() => {
  base = temporaryFolder()
})

afterEach(async () => {
  await Promise.all([...started].map((one) => one.stop('SIGTERM')))
  started.clear()
})

afterAll(() => base.remove())

const folder = (name: string) => join(base.path, name)
const environment = (name: string, more: Environment = {}) => ({
  FILEGRAPH_DATA_DIR: folder(name),
  PORT: '0',
  ...more,
})

async function start(name: string, more: Environment = {}): Promise<{ filegraph: Filegraph; url: string }> {
  const filegraph = new Filegraph(['start'], environment(name, more))
  started.add(filegraph)
  return { filegraph, url: await filegraph.url() }
}

const refuseToStart = (name: string, more: Environment = {}) => runFilegraph(['start'], environment(name, more))

async function filesSeenBy(url: string, key: string): Promise<string[]> {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ files(first: 100) { nodes { name } } }' }),
  })
  const { data } = (await answer.json()) as { data: { files: { nodes: { name: string }[] } } }
  return data.files.nodes.map(({ name }) => name)
}

const createKey = async (name: string, more: Environment = {}) => {
  const args = ['key', 'create', '--tenant', 'acme', '--name', 'test', '--role', 'OWNER']
  const { stdout, stderr } = await runFilegraph(args, environment(name, more))
  expect(stderr).toBe('')
  return stdout.trim()
}

/** A line for each request, and nothing in it that would open a door. */
function expectLogOfOneQuery(unsaid: readonly string[]): void {
  const text = readFileSync(join(folder('kept'), 'logs', 'filegraph.log'), 'utf8')
  const lines = text.split('\n').filter(Boolean)
  const requests = lines.map((line) => JSON.parse(line) as { path?: string; requestId?: string })
  const queries = requests.filter(({ path }) => path === '/graphql')
  expect(queries).toEqual([expect.objectContaining({ requestId: expect.stringMatching(/./) })])
  const secrets = Object.values(JSON.parse(readFileSync(join(folder('kept'), 'secrets.json'), 'utf8')) as object)
  expect([...unsaid, ...secrets].filter((secret) => text.includes(String(secret)))).toEqual([])
}

/** What others on the machine could read, one level deep; the folder itself only lets the database's user pass through. */
function openToOthers(name: string): string[] {
  const readable = (path: string) => (statSync(path).mode & 0o066) !== 0
  const inside = readdirSync(folder(name)).flatMap((entry) => {
    const path = join(folder(name), entry)
    return entry === 'bucket' ? readdirSync(path).map((bucket) => join(path, bucket)) : [path]
  })
  return [folder(name), ...inside].filter(readable)
}

/** A request of which the server has the head and not the whole body yet. */
function halfARequest(url: string) {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({ query: '{ __typename }' })
  const head = ['POST /graphql HTTP/1.1', `host: ${hostname}`, 'content-type: application/json']
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.on('data', (data: Buffer) => (answer += data.toString()))
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write([...head, `content-length: ${body.length}`, 'expect: 100-continue', '', ''].join('\r\n'))
  socket.write(body.slice(0, 5))
  return {
    heard: () => expect.poll(() => answer, { timeout: 10_000 }).toContain('100 Continue'),
    finish: async () => {
      answer = ''
      socket.write(body.slice(5))
      await closed
      return answer
    },
    drop: () => socket.destroy(),
  }
}

const oneLine = /^[^\n]+\n$/

describe('one command', () => {
  it(
    'serves the demo, logs it without secrets, keeps it through every kind of end, and leaves no process behind',
    patience,
    async () => {
      const first = await start('kept')
      expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
      expect(openToOthers('kept')).toEqual([])
      for (const text of [folder('kept'), 'filegraph-demo', 'ada@acme.example', 'hugo@globex.example']) {
        expect(first.filegraph.stdout).toContain(text)
      }
      const key = await createKey('kept')
      const files = await filesSeenBy(first.url, key)
      expect(files).toHaveLength(8)
      const signIn = { email: 'ada@acme.example', password: 'filegraph-demo' }
      const headers = { 'content-type': 'application/json', origin: first.url }
      await fetch(`${first.url}/session`, { method: 'POST', headers, body: JSON.stringify(signIn) })
      expect(await first.filegraph.stop('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
      expect(processesOf(folder('kept'))).toEqual([])
      expectLogOfOneQuery([key, 'filegraph-demo', 'X-Amz-Signature='])

      const second = await start('kept')
      expect(await filesSeenBy(second.url, key)).toEqual(files)
      expect(await second.filegraph.interruptGroup()).toMatchObject({ code: 0, stderr: '' })
      expect(processesOf(folder('kept'))).toEqual([])

      const third = await start('kept')
      expect((await third.filegraph.stop('SIGKILL')).code).toBe(null)
      const fourth = await start('kept')
      expect(await filesSeenBy(fourth.url, key)).toEqual(files)
      expect(await fourth.filegraph.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' })
      expect(processesOf(folder('kept'))).toEqual([])
    },
  )

  it('runs beside another one with its own folder and ports', patience, async () => {
    const [one, other] = await Promise.all([start('one'), start('other', { SEED_DEMO: 'false' })])
    expect(one.url).not.toBe(other.url)
    expect(other.filegraph.stdout).not.toContain('filegraph-demo')
    const listed = await Promise.all(
      ['one', 'other'].map((name) => runFilegraph(['tenant', 'list', '--json'], environment(name))),
    )
    expect(listed.map(({ stdout }) => (JSON.parse(stdout) as unknown[]).length)).toEqual([2, 0])

    const locked = await refuseToStart('one')
    expect(locked).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(oneLine) })
    expect(locked.stderr).toContain(`${folder('one')} is in use`)
    expect((await fetch(`${one.url}/healthz`)).status).toBe(200)

    const doctor = await runFilegraph(['doctor', '--json'], environment('one', { PORT: new URL(one.url).port }))
    const checks = JSON.parse(doctor.stdout) as { state: string }[]
    expect({ code: doctor.code, problems: checks.filter(({ state }) => state !== 'ok') }).toEqual({
      code: 0,
      problems: [],
    })
  })

  it('answers requests in flight before it stops, and stops at once at a second signal', patience, async () => {
    const polite = await start('kept')
    const asked = halfARequest(polite.url)
    await asked.heard()
    polite.filegraph.child.kill('SIGTERM')
    await expect.poll(() => polite.filegraph.stdout, { timeout: 10_000 }).toContain('Stopping')
    expect(await asked.finish()).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*connection: close[^]*__typename/)
    expect(await polite.filegraph.finished).toMatchObject({ code: 0, stderr: '' })

    const hurried = await start('kept')
    const unanswered = halfARequest(hurried.url)
    await unanswered.heard()
    hurried.filegraph.child.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    expect(hurried.filegraph.child.exitCode).toBe(null)
    const again = Date.now()
    expect(await hurried.filegraph.stop('SIGTERM')).toMatchObject({ code: 1, stderr: expect.stringMatching(oneLine) })
    expect(Date.now() - again).toBeLessThan(6_000)
    expect(processesOf(folder('kept'))).toEqual([])
    unanswered.drop()
  })

  it('stops during the start, without an error', patience, async () => {
    const filegraph = new Filegraph(['start'], environment('impatient'))
    await expect.poll(() => existsSync(join(folder('impatient'), 'postgres')), { timeout: 60_000 }).toBe(true)
    expect(await filegraph.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' })
    expect(processesOf(folder('impatient'))).toEqual([])
    expect(existsSync(join(folder('impatient'), 'lock'))).toBe(false)
  })
})

describe('a start that fails', () => {
  it('reports in one line that the port is in use, and leaves nothing running', patience, async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const { code, stdout, stderr } = await refuseToStart('port', { PORT: String(port) })
    server.close()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain(`Port ${port}`)
    expect(processesOf(folder('port'))).toEqual([])
    expect(existsSync(join(folder('port'), 'lock'))).toBe(false)
  })

  it('reports in one line that the folder cannot be written', patience, async () => {
    // A file in its place: permissions do not stop root.
    writeFileSync(folder('file'), '')
    const { code, stdout, stderr } = await refuseToStart('file/below')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain(folder('file/below'))
  })

  it('reports in one line what is wrong with a variable, before it changes anything', patience, async () => {
    const { code, stderr } = await refuseToStart('unconfigured', { PORT: 'http' })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(oneLine) })
    expect(stderr).toContain('PORT')
    expect(existsSync(folder('unconfigured'))).toBe(false)
  })

  it('reports in one line that the external database does not answer, and stops the bucket', patience, async () => {
    const DATABASE_URL = 'postgres://someone:hidden@127.0.0.1:9/none'
    const { code, stdout, stderr } = await refuseToStart('external', { DATABASE_URL })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(oneLine)
    expect(stderr).not.toContain('hidden')
  })

  it('names the settings that separate processes need', patience, async () => {
    for (const command of ['api', 'worker']) {
      const { code, stderr } = await runFilegraph([command], environment('alone'))
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(oneLine) })
      expect(stderr).toContain('DATABASE_URL')
    }
  })
})

describe('a command without a running instance', () => {
  it('starts the database itself, even if several commands come at once', patience, async () => {
    mkdirSync(folder('commands'))
    const create = (slug: string) =>
      runFilegraph(['tenant', 'create', slug, '--name', slug.toUpperCase()], environment('commands'))
    const made = await Promise.all(['first', 'second', 'third'].map(create))
    expect(made.map(({ code, stderr }) => ({ code, stderr }))).toEqual(made.map(() => ({ code: 0, stderr: '' })))
    expect(processesOf(folder('commands'))).toEqual([])
    const { filegraph } = await start('commands')
    expect(filegraph.stdout).not.toContain('filegraph-demo')
    const { stdout } = await runFilegraph(['tenant', 'list', '--json'], environment('commands'))
    expect((JSON.parse(stdout) as { slug: string }[]).map(({ slug }) => slug)).toEqual(['first', 'second', 'third'])
  })
})

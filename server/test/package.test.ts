import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { drainSeconds } from '../src/config/config.ts'
import { freePort } from '../src/embedded/postgres/freePort.ts'
import { closeWithinMs } from '../src/http/createHttpServer.ts'

import { startTestBucket, type TestBucket } from './testBucket.ts'
import { createTestDatabase, type TestDatabase } from './testDatabase.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const read = (path: string) => readFileSync(join(repository, path), 'utf8')
const containerfile = read('Containerfile')

/** The rest of the only line that begins with this instruction. */
function instruction(name: string): string {
  const found = [...containerfile.matchAll(new RegExp(`^${name} (.+)$`, 'gm'))].map(([, rest = '']) => rest)
  if (found.length !== 1) throw new Error(`${found.length} lines begin with ${name}`)
  return found[0] ?? ''
}

/** The list in exec form that ends an instruction. Its Node is the one of the image. */
function commandOf(text: string): string[] {
  const command = JSON.parse(text.slice(text.indexOf('['))) as string[]
  return command.map((part) => (part === '/nodejs/bin/node' ? process.execPath : part))
}

/** As in the image: an unprivileged user, the variables of the image, and files that nobody can change. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const imageVariables = Object.fromEntries(
  instruction('ENV')
    .split(' ')
    .map((pair) => pair.split('=')),
)

let out: string
let folder: string
let database: TestDatabase
let bucket: TestBucket
let env: Record<string, string>

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), 'filegraph-package-'))
  chmodSync(out, 0o755)
  await run('sh', ['-c', `${instruction('RUN')} --out ${out}`], { cwd: repository })
  // `COPY --from=build /source/build/filegraph .`
  folder = join(out, instruction('COPY --from=build').replace('/source/build/', '').replace(' .', ''))
  await run('chmod', ['-R', 'a-w,a+rX', folder])
  ;[database, bucket] = await Promise.all([createTestDatabase(), startTestBucket(() => new Date())])
  const { endpoint, bucket: name, accessKeyId, secretAccessKey } = bucket.options
  env = {
    ...imageVariables,
    HOST: '127.0.0.1',
    PORT: String(await freePort(null)),
    SHUTDOWN_DRAIN_SECONDS: '0',
    DATABASE_URL: database.url,
    S3_ENDPOINT: endpoint,
    S3_BUCKET: name,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
  }
}, 240_000)

afterAll(async () => {
  await bucket?.close()
  await database?.drop()
  rmSync(out, { recursive: true, force: true })
})

const runInImage = (args: readonly string[], variables = env) => {
  const [node = '', ...main] = commandOf(instruction('ENTRYPOINT'))
  return run(node, [...main, ...args], { cwd: folder, env: variables, ...nobody })
}

it('migrates, serves the API and the console, is found healthy and ends on SIGTERM, by an unprivileged user on files that cannot change', async () => {
  await runInImage(['migrate'], { ...env, DATABASE_URL: database.superuserUrl })
  const [node = '', ...main] = [...commandOf(instruction('ENTRYPOINT')), ...commandOf(instruction('CMD'))]
  const api = spawn(node, main, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'], ...nobody })
  try {
    await vi.waitFor(async () => expect((await ask('/readyz')).status).toBe(200), { timeout: 60_000, interval: 200 })
    expect(await (await ask('/')).text()).toContain('<title>Filegraph')
    expect((await ask('/graphql?query={__typename}', { 'apollo-require-preflight': '1' })).status).toBe(200)
    expect(await checkHealth()).toBe(0)
  } finally {
    await end(api)
  }
  expect(api.exitCode).toBe(0)
  expect(await checkHealth()).toBe(1)
}, 120_000)

it('says what to do when it has no PostgreSQL of its own', async () => {
  const data = join(out, 'data')
  mkdirSync(data)
  chmodSync(data, 0o777)
  const failed = runInImage(['start'], { ...imageVariables, FILEGRAPH_DATA_DIR: data })
  await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining('Set DATABASE_URL') })
})

it('leaves out of the context of a build what a checkout has and a clone has not', () => {
  expect(read('.dockerignore')).toBe(read('.containerignore'))
})

it.each(['api', 'worker'])('docs/systemd has a unit for the %s, which gets the time to end', (command) => {
  const unit = read(`docs/systemd/filegraph-${command}.service`)
  expect(unit).toContain(`ExecStart=/usr/bin/node /opt/filegraph/main.js ${command}\n`)
  const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? []
  expect(Number(seconds)).toBeGreaterThan(drainSeconds + closeWithinMs / 1000)
})

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${env['PORT']}${path}`, { headers })

/** The exit code of the image's health check. */
async function checkHealth(): Promise<number | null> {
  const [node = '', ...check] = commandOf(instruction('HEALTHCHECK'))
  const checking = spawn(node, check, { env, stdio: 'ignore', ...nobody })
  await once(checking, 'exit')
  return checking.exitCode
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

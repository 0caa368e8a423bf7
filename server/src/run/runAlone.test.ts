import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEmptyDatabase, createTestDatabase } from '../../test/testDatabase.ts'
import { type Environment, Filegraph, runFilegraph } from '../cli/testing/filegraph.ts'
import { type LocalBucket, startLocalBucket } from '../embedded/bucket/startLocalBucket.ts'

const patience = { timeout: 120_000 }
const access = { bucket: 'files', region: 'local', accessKeyId: 'key', secretAccessKey: 'not for the log' }

let directory: string
let bucket: LocalBucket
let database: Awaited<ReturnType<typeof createEmptyDatabase>>
let environment: Environment

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'filegraph-alone-'))
  bucket = await startLocalBucket({ directory: join(directory, 'bucket'), ...access })
  // The login that the application uses comes with the first migrated database of the cluster.
  await (await createTestDatabase()).drop()
  database = await createEmptyDatabase()
  environment = {
    PORT: '0',
    FILEGRAPH_DATA_DIR: join(directory, 'data'),
    DATABASE_URL: database.url,
    DATABASE_MIGRATION_URL: database.superuserUrl,
    S3_ENDPOINT: bucket.endpoint,
    S3_BUCKET: access.bucket,
    S3_REGION: access.region,
    S3_ACCESS_KEY_ID: access.accessKeyId,
    S3_SECRET_ACCESS_KEY: access.secretAccessKey,
  }
})

afterAll(async () => {
  await database.drop()
  await bucket.close()
  rmSync(directory, { recursive: true, force: true })
})

interface Line {
  readonly msg: string
  readonly url?: string
  readonly port?: number
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)

async function saying(filegraph: Filegraph, message: string): Promise<Line | undefined> {
  await expect.poll(() => filegraph.stdout, { timeout: 60_000 }).toContain(message)
  return linesOf(filegraph.stdout).find(({ msg }) => msg.startsWith(message))
}

describe('processes on an external database and bucket', () => {
  it('run side by side, log JSON lines, and stop cleanly', patience, async () => {
    const tooEarly = await runFilegraph(['worker'], environment)
    expect(tooEarly).toMatchObject({ code: 1, stderr: expect.stringContaining('migrate') })

    const api = new Filegraph(['api'], environment)
    const url = (await saying(api, 'The API listens and cannot do its work yet.'))?.url ?? ''
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect(await runFilegraph(['migrate'], environment)).toMatchObject({ code: 0, stderr: '' })
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ status: 'ready' })
    await saying(api, 'The API is up')

    const worker = new Filegraph(['worker'], { ...environment, METRICS_PORT: '0' })
    await saying(worker, 'The worker is up')
    const port = (await saying(worker, 'Metrics are served'))?.port
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toMatch(/^# TYPE filegraph_jobs_total counter$/m)
    expect(metrics).toMatch(/^filegraph_database_statement_seconds_count [1-9]/m)
    const taken = await runFilegraph(['worker'], { ...environment, METRICS_PORT: String(port) })
    expect(taken).toMatchObject({ code: 1, stderr: expect.stringContaining('set METRICS_PORT to another one') })
    const stopped = await Promise.all([api.stop('SIGTERM'), worker.stop('SIGINT')])
    expect(stopped.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ])
    // Two probes, which are logged at the level debug.
    expect(linesOf(api.stdout).filter(({ msg }) => msg === 'Request')).toEqual([])
    expect(api.stdout).not.toContain('Metrics are served')
    expect(api.stdout + worker.stdout).not.toContain(access.secretAccessKey)
  })

  it('drain after SIGTERM, not after SIGINT, and end at once after a second signal', patience, async () => {
    const draining = { ...environment, SHUTDOWN_DRAIN_SECONDS: '3600' }
    const [first, second] = [new Filegraph(['api'], draining), new Filegraph(['api'], draining)]
    const url = (await saying(first, 'The API is up'))?.url ?? ''
    await saying(second, 'The API is up')
    expect((await fetch(`${url}/healthz`)).headers.get('connection')).toBe('keep-alive')

    first.child.kill('SIGTERM')
    await saying(first, 'Draining')
    const [ready, other] = await Promise.all([fetch(`${url}/readyz`), fetch(`${url}/graphql?query={__typename}`)])
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }])
    expect([other.status, other.headers.get('connection')]).toEqual([400, 'close'])
    expect(await first.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' })

    expect(await second.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' })
    expect(second.stdout).not.toContain('Draining')
  })
})

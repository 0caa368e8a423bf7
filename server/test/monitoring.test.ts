import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Filegraph, runFilegraph, temporaryFolder } from '../src/cli/testing/filegraph.ts'
import { freePort } from '../src/embedded/postgres/freePort.ts'

let folder: ReturnType<typeof temporaryFolder>
let filegraph: Filegraph
let url: string
let metricsUrl: string
let key: string

beforeAll(async () => {
  folder = temporaryFolder()
  const metricsPort = await freePort(null)
  const environment = { FILEGRAPH_DATA_DIR: join(folder.path, 'data'), PORT: '0', METRICS_PORT: String(metricsPort) }
  filegraph = new Filegraph(['start'], environment)
  url = await filegraph.url()
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`
  const args = ['key', 'create', '--tenant', 'acme', '--name', 'monitor', '--role', 'OWNER']
  key = (await runFilegraph(args, environment)).stdout.trim()
})
afterAll(async () => {
  await filegraph.stop()
  folder.remove()
})

const scrape = async (): Promise<string[]> => (await (await fetch(metricsUrl)).text()).split('\n')
/** The value of a series, or 0 if it does not exist. */
const valueOf = (lines: readonly string[], series: string): number =>
  Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length) ?? 0)

async function ask(query: string, headers: Record<string, string> = { authorization: `Bearer ${key}` }) {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  })
  return answer.text()
}

const list = 'query Mine { files(first: 2) { nodes { id } } }'
const missing = 'mutation Remove { deleteFile(input: { id: "nothing" }) { __typename } }'

describe('the metrics', () => {
  it('count operations by root field and outcome, refusals in a union too', async () => {
    for (let time = 0; time < 3; time += 1) await ask(list)
    expect(await ask(missing)).toContain('NotFoundError')
    expect(await ask(list, {})).toContain('UNAUTHENTICATED')
    const operations = async (operation: string, outcome: string) =>
      valueOf(await scrape(), `filegraph_operations_total{operation="${operation}",outcome="${outcome}"}`)
    // A response is counted after it was sent.
    await expect.poll(() => operations('files', 'refused')).toBe(1)
    expect([await operations('files', 'ok'), await operations('deleteFile', 'refused')]).toEqual([3, 1])
    const lines = await scrape()
    expect(valueOf(lines, 'filegraph_errors_total{code="NOT_FOUND"}')).toBe(1)
    expect(valueOf(lines, 'filegraph_http_requests_total{method="POST",route="/graphql",status="200"}')).toBe(4)
    expect(valueOf(lines, 'filegraph_operation_seconds_count{operation="files"}')).toBe(4)
    expect(valueOf(lines, 'filegraph_database_connections{state="size"}')).toBe(10)
    expect(valueOf(lines, 'filegraph_database_statement_seconds_count')).toBeGreaterThan(10)
    expect(valueOf(lines, 'filegraph_bucket_request_seconds_count{operation="ping"}')).toBeGreaterThan(0)
  })

  it('do not grow with the names that clients invent', async () => {
    const invent = async (kind: string, from: number) => {
      const asked = Array.from({ length: 40 }, async (_, at) => {
        const name = `${kind}${from + at}`
        await ask(`query ${name} { __typename }`, {})
        await ask(`query ${name} { ${name} }`)
        await ask(`{ ${name}(`)
        await fetch(`${url}/${name}`, { method: at % 2 ? 'GET' : 'DELETE' })
        await fetch(`${url}/bucket/${name}`)
        await fetch(`${url}/graphql/${name}`)
      })
      await Promise.all(asked)
    }
    await invent('first', 0)
    const before = (await scrape()).filter((line) => line.startsWith('filegraph_')).map((line) => line.split(' ')[0])
    await invent('second', 100)
    const after = (await scrape()).filter((line) => line.startsWith('filegraph_')).map((line) => line.split(' ')[0])
    const isBackground = (series = '') => /^filegraph_(job|sweep|bucket)/.test(series)
    expect(after.filter((series) => !isBackground(series) && !before.includes(series))).toEqual([])
  })

  it('are on their own port alone', async () => {
    expect((await fetch(`${url}/metrics`)).status).toBe(404)
    expect((await fetch(metricsUrl.replace('/metrics', '/'))).status).toBe(404)
    expect((await fetch(metricsUrl, { method: 'POST' })).status).toBe(404)
  })

  it.each(['dashboard.json', 'alerts.yml'])('have every name that docs/monitoring/%s uses', async (file) => {
    const text = readFileSync(new URL(`../../docs/monitoring/${file}`, import.meta.url), 'utf8')
    const named = new Set([...text.matchAll(/\b(?:filegraph|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name))
    const types = (await scrape()).flatMap((line) => {
      const [, name, type] = /^# TYPE (\S+) (\S+)/.exec(line) ?? []
      return name === undefined ? [] : type === 'histogram' ? [name, `${name}_bucket`, `${name}_count`] : [name]
    })
    expect(named.size).toBeGreaterThan(5)
    expect([...named].filter((name) => !types.includes(name))).toEqual([])
  })

  it('are all on the dashboard', async () => {
    const { panels } = JSON.parse(
      readFileSync(new URL('../../docs/monitoring/dashboard.json', import.meta.url), 'utf8'),
    ) as { panels: { targets: { expr: string }[] }[] }
    const shown = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n')
    const own = (await scrape()).flatMap((line) => /^# TYPE (filegraph_\S+)/.exec(line)?.[1] ?? [])
    expect(own.length).toBeGreaterThan(8)
    expect(own.filter((name) => !shown.includes(name) && name !== 'filegraph_job_seconds')).toEqual([])
  })
})

describe('the log', () => {
  it('has the operation, the caller, the time in the database and the codes of a request, and no probes', async () => {
    await ask(missing)
    for (const probe of ['healthz', 'readyz']) expect((await fetch(`${url}/${probe}`)).status).toBe(200)
    const read = () =>
      readFileSync(join(folder.path, 'data', 'logs', 'filegraph.log'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    const last = () => read().findLast(({ msg }) => msg === 'Request')
    await expect.poll(last).toMatchObject({
      path: '/graphql',
      operation: 'Remove',
      field: 'deleteFile',
      principalKind: 'API_KEY',
      tenantId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      databaseMilliseconds: expect.any(Number),
      codes: ['NOT_FOUND'],
    })
    expect(read().filter(({ path }) => path === '/healthz' || path === '/readyz')).toEqual([])
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { drainSeconds, readConfig } from '../src/config/config.ts'
import { configVariables } from '../src/config/variables.ts'
import { closeWithinMs } from '../src/http/createHttpServer.ts'
import { readyWithinMs } from '../src/http/healthRoutes.ts'
import { exampleIn } from './documentExample.ts'

const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
const example = (name: string) => exampleIn('docs/operating.md', name)

/** The number in the first match, in seconds. */
function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`Nothing matches ${pattern}`)
  return Number(found)
}

const closeSeconds = closeWithinMs / 1000

describe('docs/operating.md', () => {
  it('says the product’s own times', () => {
    expect(numberIn(page, /`SHUTDOWN_DRAIN_SECONDS` \(default: (\d+)\)/)).toBe(drainSeconds)
    expect(numberIn(page, /Requests in flight finish, for at most (\d+) seconds/)).toBe(closeSeconds)
    expect(numberIn(page, /exceed the drain time by more than (\d+) seconds/)).toBe(closeSeconds)
  })

  it('lets HAProxy notice a draining process before it stops listening', () => {
    const haproxy = example('haproxy')
    const checked = numberIn(haproxy, /inter (\d+)s/) * numberIn(haproxy, /fall (\d+)/)
    expect(checked + numberIn(haproxy, /timeout check (\d+)s/)).toBeLessThan(drainSeconds)
    expect(haproxy).toContain('httpchk GET /readyz')
  })

  it('lets nginx drop idle connections before the process does', () => {
    expect(numberIn(example('nginx'), /keepalive_timeout (\d+)s/)).toBeLessThan(drainSeconds)
  })

  it('gives a pod the time to drain, and its probes the time to be answered', () => {
    const pod = example('kubernetes')
    const drain = numberIn(pod, /SHUTDOWN_DRAIN_SECONDS, value: "(\d+)"/)
    expect(numberIn(pod, /terminationGracePeriodSeconds: (\d+)/)).toBeGreaterThan(drain + closeSeconds)
    const [, readiness = '', liveness = ''] = /readinessProbe:([^]*)livenessProbe:([^]*)/.exec(pod) ?? []
    expect([readiness, liveness].map((probe) => /path: (\S+),/.exec(probe)?.[1])).toEqual(['/readyz', '/healthz'])
    expect(numberIn(readiness, /timeoutSeconds: (\d+)/) * 1000).toBeGreaterThan(readyWithinMs)
    expect(numberIn(pod, /containerPort: (\d+)/)).toBe(readConfig({}).http.port)
  })

  it('names only variables and codes that exist', () => {
    const known = new Set<string>([...configVariables.map(({ name }) => name), 'SERVICE_UNAVAILABLE'])
    const named = [...page.matchAll(/\b[A-Z][A-Z0-9]+_[A-Z0-9_]+\b/g)].map(([name]) => name)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })
})

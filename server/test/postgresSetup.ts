import type { TestProject } from 'vitest/node'
import { startTestPostgres } from '../src/embedded/postgres/startTestPostgres.ts'

/** One server for the whole run; every test file makes databases of its own in it. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres()
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}

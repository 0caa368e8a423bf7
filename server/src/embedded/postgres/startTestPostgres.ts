import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from './embeddedPostgres.ts'

/** A temporary server for one test run. It is not durable, and its files are deleted afterwards. */
export async function startTestPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'filegraph-test-postgres-'))
  chmodSync(folder, 0o711)
  const password = 'test'
  const server = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    secrets: { postgresSuperuserPassword: password, postgresOwnerPassword: password, postgresApiPassword: password },
    port: null,
    durable: false,
  })
  return {
    url: server.superuserUrl,
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
      if (server.folder !== join(folder, 'postgres')) rmSync(server.folder, { recursive: true, force: true })
    },
  }
}

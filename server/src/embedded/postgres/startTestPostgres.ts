import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from './embeddedPostgres.ts'

/** A throw-away server for one run of the tests: not durable, and gone with all its files afterwards. */
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

import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { createTestDatabase } from '../../test/testDatabase.ts'
import { usualCleanup } from '../domain/sweeps/runs/settings.ts'
import { createLogger } from '../http/createLogger.ts'
import { openBackends } from './openBackends.ts'

it('logs a slow statement without its parameters', async () => {
  const database = await createTestDatabase()
  const lines: string[] = []
  const backends = openBackends({
    databaseUrl: database.url,
    ownerUrl: database.superuserUrl,
    bucket: {
      endpoint: 'http://127.0.0.1:9',
      region: 'x',
      bucket: 'x',
      accessKeyId: 'x',
      secretAccessKey: 'x',
      forcePathStyle: true,
    },
    logger: createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } }),
    poolSize: 1,
    applicationName: 'slow',
    cleanup: usualCleanup,
  })
  await backends.database.lookUp((db) => db.execute(sql`select pg_sleep(1.1), ${'a-parameter'}::text`))
  await backends.close()
  await database.drop()
  const slow = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(slow).toEqual([
    expect.objectContaining({
      msg: 'A statement was slow',
      level: 'warn',
      statement: 'select pg_sleep(1.1), $1::text',
      milliseconds: expect.any(Number),
    }),
  ])
  expect(lines.join('')).not.toContain('a-parameter')
})

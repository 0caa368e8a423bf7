import pino from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { listVetoes } from '../../../test/faults/drill.ts'
import { createEmptyDatabase } from '../../../test/testDatabase.ts'
import { startTestService, type TestService } from '../../../test/testService.ts'
import { sentenceFor } from '../../cli/sentenceFor.ts'
import { openTenantDatabase } from '../../database/tenantDatabase.ts'
import { markerKey } from './marker.ts'
import { type BucketWatch, watchBucket } from './watchBucket.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly reason?: string
  readonly err?: unknown
}

let service: TestService
let log: Line[]
let watch: BucketWatch | undefined
let looks: number

beforeEach(async () => {
  service = await startTestService()
  log = []
  looks = 0
})

afterEach(async () => {
  watch?.stop()
  watch = undefined
  await service.close()
})

const logger = () => pino({ base: null }, { write: (line: string) => log.push(JSON.parse(line) as Line) })

/** Looks a hundred times a second. */
async function startWatch(database = service.database) {
  const counted = {
    ...database,
    lookUp: (async (work) => ((looks += 1), database.lookUp(work))) as typeof database.lookUp,
  }
  const parts = { database: counted, blobs: service.blobs, now: service.now, logger: logger() }
  watch = await watchBucket(parts, sentenceFor, { usualMs: 10, retryMs: 10 })
}

const tenMoreLooks = async () => {
  const from = looks
  await vi.waitFor(() => expect(looks).toBeGreaterThan(from + 10), { timeout: 10_000 })
}

it('logs once, in one line without a stack, that the database is not migrated', async () => {
  const empty = await createEmptyDatabase()
  const database = openTenantDatabase({ url: empty.superuserUrl, size: 1, applicationName: 'test' })
  try {
    await startWatch(database)
    await tenMoreLooks()
    expect(log).toHaveLength(1)
    expect(log[0]).toMatchObject({ level: 40, reason: 'The database is not up to date. Run: filegraph migrate' })
    expect(log[0]).not.toHaveProperty('err')
  } finally {
    watch?.stop()
    await database.close()
    await empty.drop()
  }
})

it('logs once that the bucket is down, and once that it is back', async () => {
  await service.bucket.stop()
  await startWatch()
  await tenMoreLooks()
  expect(log).toEqual([
    expect.objectContaining({ level: 40, reason: expect.stringMatching(/^The bucket cannot be used/) }),
  ])
  expect(log[0]).not.toHaveProperty('err')
  await service.bucket.start()
  await vi.waitFor(() => expect(log).toHaveLength(2), { timeout: 10_000 })
  expect(log[1]).toMatchObject({ level: 30, msg: 'The bucket is the one of this database' })
})

it('logs a refusal once as an error, and again when it changes', async () => {
  await startWatch()
  await tenMoreLooks()
  expect(log).toEqual([])
  const contentType = 'application/json'
  await service.blobs.write(markerKey('another', 7), Buffer.from('{"token":"x"}'), { contentType })
  await vi.waitFor(() => expect(log).toHaveLength(1), { timeout: 10_000 })
  await tenMoreLooks()
  expect(log).toEqual([
    expect.objectContaining({ level: 50, reason: expect.stringContaining('another installation (another)') }),
  ])
  await service.blobs.delete([markerKey('another', 7)])
  // A look under way can find the marker listed and no longer there, which is a refusal of its own.
  const objected = { level: 50, reason: expect.stringContaining('objected to all deletes') }
  await vi.waitFor(() => expect(log.at(-1)).toMatchObject(objected), { timeout: 10_000 })
  // A look under way adds a veto of its own, so they are deleted until none comes back.
  await vi.waitFor(
    async () => {
      await service.blobs.delete(await listVetoes(service.blobs))
      expect(log.at(-1)).toMatchObject({ level: 30 })
    },
    { timeout: 20_000 },
  )
})

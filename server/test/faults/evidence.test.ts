import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTenantDatabase } from '../../src/database/tenantDatabase.ts'
import { readEvidence } from '../../src/domain/sweeps/purge/readEvidence.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import { openSaboteur, plantAttachedFile, plantFile, plantReleased } from './plantFile.ts'

let service: TestService
let tenant: TestTenant
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  sql = await openSaboteur(service)
})

afterAll(async () => {
  await sql.end()
  await service.close()
})

const evidenceOf = (...ids: string[]) => service.database.write(tenant.id, (tx) => readEvidence(tx, ids))
const inAlphabet = (...ids: string[]) => ids.toSorted()

describe('the evidence of the purge', () => {
  it('belongs to each blob separately, in any batch', async () => {
    const free = await plantReleased(service, tenant, sql)
    const used = await plantAttachedFile(service, tenant, sql)
    const held = await plantFile(service, tenant, sql)
    await sql`update files set held_at = now(), held_by = uploaded_by, hold_reason = 'a case' where id = ${held.fileId}`
    const found = await evidenceOf(free.blobId, used.blobId, held.blobId)
    const counts = found.map(({ id, versionCount, releaseCount, attachmentCount, holdCount, pendingIntentCount }) => [
      id,
      { versionCount, releaseCount, attachmentCount, holdCount, pendingIntentCount },
    ])
    const nothing = { versionCount: 0, releaseCount: 0, attachmentCount: 0, holdCount: 0, pendingIntentCount: 0 }
    expect(Object.fromEntries(counts)).toEqual({
      [free.blobId]: { ...nothing, releaseCount: 1 },
      [used.blobId]: { ...nothing, versionCount: 1, attachmentCount: 1 },
      [held.blobId]: { ...nothing, versionCount: 1, holdCount: 1 },
    })
  })

  it('adds the uses of the blob and of its files, so that none hides another', async () => {
    const planted = await plantFile(service, tenant, sql)
    await sql`update uploads set state = 'PENDING', file_id = null, version = null where blob_id = ${planted.blobId}`
    const other = await plantFile(service, tenant, sql)
    await sql`update uploads set state = 'PENDING', target_file_id = ${planted.fileId}, file_id = null, version = null
      where blob_id = ${other.blobId}`
    const [evidence] = await evidenceOf(planted.blobId)
    expect(evidence?.pendingIntentCount).toBe(2)
  })

  it('costs five statements for one blob and for many', async () => {
    const planted = [await plantReleased(service, tenant, sql), await plantAttachedFile(service, tenant, sql)]
    const texts: string[] = []
    const onStatement = (text: string) => void (text.startsWith('select "') && texts.push(text))
    const database = openTenantDatabase({
      url: service.testDatabase.url,
      size: 1,
      applicationName: 'test',
      onStatement,
    })
    for (const ids of [planted.slice(0, 1), planted].map((some) => some.map(({ blobId }) => blobId))) {
      texts.length = 0
      expect(await database.write(tenant.id, (tx) => readEvidence(tx, ids))).toHaveLength(ids.length)
      expect(texts).toHaveLength(5)
    }
    await database.close()
  })

  it('omits rows that another transaction has locked, and does not wait for them', async () => {
    const mine = await plantReleased(service, tenant, sql)
    const theirs = await plantReleased(service, tenant, sql)
    const ids = (found: { id: string }[]) => inAlphabet(...found.map(({ id }) => id))
    await sql.begin(async (tx) => {
      await tx`select from blobs where id = ${theirs.blobId} for update`
      expect(ids(await evidenceOf(mine.blobId, theirs.blobId))).toEqual([mine.blobId])
    })
    expect(ids(await evidenceOf(mine.blobId, theirs.blobId))).toEqual(inAlphabet(mine.blobId, theirs.blobId))
  })
})

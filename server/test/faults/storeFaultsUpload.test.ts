import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  answerWith,
  cutAnswerAfter,
  delayAnswer,
  loseReply,
  refuseWith,
  resetRequestAfter,
} from '../storeFaults/faults.ts'
import { isHead, isPing, isRead, isWrite } from '../storeFaults/requests.ts'
import type { Fault, SeenRequest } from '../storeFaults/startStoreProxy.ts'
import { askForIntent, commit, type Data, sendBytes, sha256, type TestTenant } from '../testService.ts'
import { none, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'
import { violationsIn } from './violationsIn.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant

beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
  tenant = await bench.service.createTenant()
})
afterAll(() => bench.close())
afterEach(() => bench.service.store.clear())

const content = 'the bytes of a contract'
const declared = { content, name: 'contract.txt', sha256: sha256(content) }

const send = async (intent: Data): Promise<number | null> => {
  try {
    return (await sendBytes(intent, content)).status
  } catch {
    return null
  }
}

async function versions(): Promise<number> {
  const [row] = await bench.sql`select count(*)::int as count from file_versions where tenant_id = ${tenant.id}`
  return Number(row?.['count'])
}

/** Whoever was told nothing, or no, tries again: one file with one version comes of it, and nothing is left over. */
async function expectOneVersionIn(intent: Data): Promise<void> {
  bench.service.store.clear()
  const before = await versions()
  const sent = await send(intent)
  expect([200, 412]).toContain(sent)
  const committed = await commit(bench.service, tenant.member, intent.id)
  expect(committed).toMatchObject({ __typename: 'CommitUploadSuccess', version: { number: 1 } })
  expect(await commit(bench.service, tenant.member, intent.id)).toEqual(committed)
  expect(committed.file).toMatchObject({ byteSize: content.length, sha256: declared.sha256 })
  expect(await versions()).toBe(before + 1)
  expect((await bench.reconcile(tenant.id)).tally).toMatchObject({ examined: before + 1, found: none })
  expect(await violationsIn(bench.service, tenant)).toEqual([])
}

describe('an upload can be sent again, and becomes one version, when', () => {
  const faults: [string, Fault, number | null][] = [
    ['the store is overloaded', refuseWith(503, 'SlowDown'), 503],
    ['the connection breaks in the middle of the bytes', resetRequestAfter(7), null],
    ['the bytes arrived and the reply was lost', loseReply(), null],
    ['the reply is an error under the status of success', refuseWith(200, 'InternalError'), 200],
    ['the reply is cut off', cutAnswerAfter(0), null],
  ]
  it.each(faults)('%s', async (_what, fault, status) => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, declared)
    bench.service.store.on(isWrite, fault, 1)
    expect(await send(uploadIntent)).toBe(status)
    await expectOneVersionIn(uploadIntent)
  })

  it('a commit came although nothing had arrived', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, declared)
    bench.service.store.on(isWrite, answerWith(200), 1)
    expect(await send(uploadIntent)).toBe(200)
    const early = await commit(bench.service, tenant.member, uploadIntent.id)
    expect(early.__typename).toBe('UploadIncompleteError')
    await expectOneVersionIn(uploadIntent)
  })
})

describe('a commit changes nothing and can be asked for again when', () => {
  const isLook = (seen: SeenRequest) => isHead(seen) || isPing(seen)
  const faults: [string, (seen: SeenRequest) => boolean, () => Fault][] = [
    ['the look at the object is refused', isLook, () => refuseWith(503, 'SlowDown')],
    ['the look at the object is forbidden', isLook, () => refuseWith(403, 'AccessDenied')],
    ['the whole bucket seems to be gone', isLook, () => refuseWith(404, 'NoSuchBucket')],
    ['the answer to the look is lost', isLook, loseReply],
    ['the answer to the look comes too late', isLook, () => delayAnswer(1_500)],
    ['the look is answered by another server', isLook, () => answerWith(200, '<html></html>')],
    ['the bytes cannot be read', isRead, () => refuseWith(503, 'SlowDown')],
    ['the bytes are cut off on their way', isRead, () => cutAnswerAfter(3)],
    ['the answer to the reading is lost', isRead, loseReply],
    ['an error comes in the place of the bytes', isRead, () => refuseWith(200, 'InternalError')],
    ['a page of a proxy comes in the place of the bytes', isRead, () => answerWith(200, '<html></html>')],
  ]
  it.each(faults)('%s', async (_what, match, fault) => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, declared)
    expect(await send(uploadIntent)).toBe(200)
    const before = await versions()
    bench.service.store.on(match, fault())
    const answer = await bench.service.ask(
      tenant.member,
      `mutation { commitUpload(input: { id: "${uploadIntent.id}" }) { __typename } }`,
    )
    expect(answer.errors).toHaveLength(1)
    expect(answer.errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE')
    expect(await versions()).toBe(before)
    await expectOneVersionIn(uploadIntent)
  })

  it('many ask for it at once while the store stumbles', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, declared)
    expect(await send(uploadIntent)).toBe(200)
    const before = await versions()
    bench.service.store.on(isHead, refuseWith(503, 'SlowDown'), 4)
    bench.service.store.on(isRead, cutAnswerAfter(3), 3)
    const asked = Array.from({ length: 6 }, () => commit(bench.service, tenant.member, uploadIntent.id))
    await Promise.allSettled(asked)
    expect(await commit(bench.service, tenant.member, uploadIntent.id)).toMatchObject({ version: { number: 1 } })
    expect(await versions()).toBe(before + 1)
  })
})

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  answerWith,
  changeAnswer,
  cutAnswerAfter,
  delayAnswer,
  drip,
  hang,
  loseReply,
  refuseWith,
  resetRequestAfter,
} from '../storeFaults/faults.ts'
import { isHead, isPing, isRead, isWrite } from '../storeFaults/requests.ts'
import type { Fault, SeenRequest } from '../storeFaults/startStoreProxy.ts'
import {
  askForIntent,
  commit,
  type Data,
  sendBytes,
  sha256,
  type TestTenant,
  wholeMilliseconds,
} from '../testService.ts'
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

const contract = (content: string) => ({ content, name: 'contract.txt', sha256: sha256(content) })
type Contract = ReturnType<typeof contract>

const declared = contract('the bytes of a contract')
/** Too large to be read whole, so that the store is asked for the checksum. */
const large = contract('the bytes of a contract, '.repeat(4_000))

const send = async (intent: Data, { content } = declared): Promise<number | null> => {
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

/** A caller without a success tries again: one file with one version comes of it, and nothing is left over. */
async function expectOneVersionIn(intent: Data, expected: Contract = declared): Promise<void> {
  bench.service.store.clear()
  const before = await versions()
  const sent = await send(intent, expected)
  expect([200, 412]).toContain(sent)
  const committed = await commit(bench.service, tenant.member, intent.id)
  expect(committed).toMatchObject({ __typename: 'CommitUploadSuccess', version: { number: 1 } })
  expect(await commit(bench.service, tenant.member, intent.id)).toEqual(committed)
  expect(committed.file).toMatchObject({ byteSize: expected.content.length, sha256: expected.sha256 })
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

  it('a commit came before the bytes', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, declared)
    bench.service.store.on(isWrite, answerWith(200), 1)
    expect(await send(uploadIntent)).toBe(200)
    const early = await commit(bench.service, tenant.member, uploadIntent.id)
    expect(early.__typename).toBe('UploadIncompleteError')
    await expectOneVersionIn(uploadIntent)
  })
})

describe('a commit changes nothing and can be repeated when', () => {
  const isLook = (seen: SeenRequest) => isHead(seen) || isPing(seen)
  const faults: [string, () => Fault][] = [
    ['the store is overloaded', () => refuseWith(503, 'SlowDown')],
    ['it is forbidden', () => refuseWith(403, 'AccessDenied')],
    ['the whole bucket seems to be gone', () => refuseWith(404, 'NoSuchBucket')],
    ['the answer is lost', loseReply],
    ['the answer comes too late', () => delayAnswer(1_500)],
    ['an error comes under the status of success', () => refuseWith(200, 'InternalError')],
    ['a page of a proxy comes instead', () => answerWith(200, '<html></html>')],
    ['the answer is cut off on its way', () => cutAnswerAfter(3)],
  ]
  const matches: [string, Contract, (seen: SeenRequest) => boolean][] = [
    ['the bytes are read', declared, isRead],
    ['the start of many bytes is read', large, isRead],
    ['the store is asked for the checksum of many bytes', large, isLook],
  ]
  const all = matches.flatMap(([what, sent, match]) =>
    faults
      // An answer to a HEAD has no body.
      .filter(([fault]) => match !== isLook || !fault.startsWith('the answer is cut off'))
      .map(([fault, make]) => [what, fault, sent, match, make] as const),
  )
  it.each(all)('%s, and %s', async (_what, _fault, sent, match, fault) => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, sent)
    expect(await send(uploadIntent, sent)).toBe(200)
    const before = await versions()
    bench.service.store.on(match, fault())
    const answer = await bench.service.ask(
      tenant.member,
      `mutation { commitUpload(input: { id: "${uploadIntent.id}" }) { __typename } }`,
    )
    expect(answer.errors).toHaveLength(1)
    expect(answer.errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE')
    expect(await versions()).toBe(before)
    await expectOneVersionIn(uploadIntent, sent)
  })

  const slow: [string, Contract, (seen: SeenRequest) => boolean, Fault][] = [
    ['hangs', declared, isRead, hang()],
    ['sends the bytes one by one', declared, isRead, drip(300)],
    ['hangs at many bytes', large, isRead, hang()],
    ['sends the start of many bytes one by one', large, isRead, drip(300)],
    ['hangs at the second question', large, isLook, hang()],
    [
      'hangs while many bytes are hashed',
      large,
      (seen) => isRead(seen) && !seen.headers.range?.endsWith('-4099'),
      hang(),
    ],
  ]
  it.each(slow)('the store %s: the answer comes in time and says when to retry', async (_what, sent, match, fault) => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, sent)
    expect(await send(uploadIntent, sent)).toBe(200)
    const before = await versions()
    bench.service.store.on(match, fault)
    // A store without checksums, so that the bytes have to be hashed.
    bench.service.store.on(isHead, changeAnswer({ headers: { 'x-amz-checksum-sha256': '' } }))
    const began = performance.now()
    const answer = await bench.service.ask(
      tenant.member,
      `mutation { commitUpload(input: { id: "${uploadIntent.id}" }) { __typename } }`,
    )
    expect(performance.now() - began).toBeLessThan(2 * wholeMilliseconds + 2_000)
    expect(answer).toMatchObject({
      status: 503,
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 1 } }],
    })
    expect(await versions()).toBe(before)
    await expectOneVersionIn(uploadIntent, sent)
  })

  it('many commit concurrently while the store fails', async () => {
    const { uploadIntent } = await askForIntent(bench.service, tenant.member, declared)
    expect(await send(uploadIntent)).toBe(200)
    const before = await versions()
    bench.service.store.on(isRead, refuseWith(503, 'SlowDown'), 4)
    bench.service.store.on(isRead, cutAnswerAfter(3), 3)
    const asked = Array.from({ length: 6 }, () => commit(bench.service, tenant.member, uploadIntent.id))
    await Promise.allSettled(asked)
    expect(await commit(bench.service, tenant.member, uploadIntent.id)).toMatchObject({ version: { number: 1 } })
    expect(await versions()).toBe(before + 1)
  })
})

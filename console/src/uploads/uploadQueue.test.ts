import { CombinedGraphQLErrors } from '@apollo/client/errors'
import { expect, test, vi } from 'vitest'
import { RefusedError } from '../apollo/takeSuccess.ts'
import type { FileRowFragment } from '../apollo/operations.ts'
import { type Announced, type Intent, type PutBytes, sendFile, type UploadGateway } from './sendFile.ts'
import { type QueueParts, UploadQueue } from './uploadQueue.ts'

const made = { id: 'file-1', contentType: 'text/plain' } as FileRowFragment
const pending: Intent = { id: 'intent-1', state: 'PENDING', method: 'PUT', url: 'http://bucket/1', headers: [] }
const ada = 'ada@acme.example'

interface Given extends Partial<QueueParts> {
  readonly gateway?: Partial<UploadGateway>
}

function parts({ gateway = {}, ...given }: Given = {}) {
  const announced: Announced[] = []
  const calls = {
    createIntent: vi.fn<UploadGateway['createIntent']>(async (input) => (announced.push(input), pending)),
    commit: vi.fn<UploadGateway['commit']>(async () => made),
    cancel: vi.fn<UploadGateway['cancel']>(async () => undefined),
    ...gateway,
  }
  let keys = 0
  const onDone = vi.fn<(tenant: string, file: FileRowFragment) => void>()
  const queue = new UploadQueue({
    gatewayOf: () => calls,
    put: async () => 200,
    digest: async () => null,
    newKey: () => `key-${(keys += 1)}`,
    onDone,
    nextFrame: (run) => setTimeout(run),
    ...given,
  })
  const add = (...names: string[]) =>
    queue.add(
      'acme',
      ada,
      names.map((name) => ({ bytes: file(name) })),
    )
  const all = () => queue.store.all()
  const steps = () => all().map(({ step }) => step)
  const idOf = (name: string) => all().find((upload) => upload.name === name)?.id ?? ''
  return { queue, calls, announced, onDone, add, all, steps, idOf }
}

const file = (name: string) => new File(['hello'], name, { type: 'text/plain' })

/** Sends until it is aborted. */
const endless: PutBytes = (_intent, _bytes, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const refusal = (code: string) =>
  new CombinedGraphQLErrors({ data: null, errors: [{ message: code, extensions: { code } }] })

test('a file gets an intent, is sent and committed, and enters the list', async () => {
  const { add, announced, onDone, steps } = parts()
  add('a.txt')
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(announced[0]).toMatchObject({ name: 'a.txt', contentType: 'text/plain', byteSize: 5, fileId: null })
  expect(onDone).toHaveBeenCalledWith('acme', made)
})

test('no more than three files are sent at once, and the next starts when one has ended', async () => {
  const ends: (() => void)[] = []
  const { add, steps } = parts({ put: () => new Promise((resolve) => ends.push(() => resolve(200))) })
  add('a', 'b', 'c', 'd')
  await vi.waitFor(() => expect(ends).toHaveLength(3))
  expect(steps()).toEqual(['sending', 'sending', 'sending', 'waiting'])
  ends[1]?.()
  await vi.waitFor(() => expect(steps()).toEqual(['sending', 'done', 'sending', 'sending']))
})

test('a retry after a lost connection uses the same key, and 412 leads to the commit', async () => {
  const answers = [() => Promise.reject(new TypeError('lost')), () => Promise.resolve(412)]
  const { queue, add, idOf, all, announced, calls, steps } = parts({
    put: () => answers.shift()?.() ?? Promise.resolve(200),
  })
  add('a.txt')
  await vi.waitFor(() => expect(steps()).toEqual(['failed']))
  expect(all()[0]?.failure).toMatch(/connection/)
  queue.retry([idOf('a.txt')])
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(announced[1]?.idempotencyKey).toBe(announced[0]?.idempotencyKey)
  expect(calls.commit).toHaveBeenCalledTimes(1)
})

test('a retry after a refusal creates a new intent, because the refused one has ended', async () => {
  const commit = vi
    .fn<UploadGateway['commit']>()
    .mockRejectedValueOnce(new RefusedError({ code: 'CONTENT_MISMATCH', message: 'The content is text.' }))
    .mockResolvedValue(made)
  const { queue, add, idOf, all, announced, steps } = parts({ gateway: { commit } })
  add('a.txt')
  await vi.waitFor(() => expect(steps()).toEqual(['failed']))
  expect(all()[0]?.failure).toBe('The content is text.')
  queue.retry([idOf('a.txt')])
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(announced[1]?.idempotencyKey).not.toBe(announced[0]?.idempotencyKey)
})

test('cancelling stops the request, releases the space, and starts the next upload', async () => {
  const { queue, add, idOf, calls, steps } = parts({ put: endless })
  add('a', 'b', 'c', 'd')
  await vi.waitFor(() => expect(steps()).toEqual(['sending', 'sending', 'sending', 'waiting']))
  queue.cancel(idOf('a'))
  await vi.waitFor(() => expect(steps()).toEqual(['cancelled', 'sending', 'sending', 'sending']))
  expect(calls.cancel).toHaveBeenCalledWith('intent-1')
  expect(calls.commit).not.toHaveBeenCalled()
})

test('a running commit cannot be cancelled', async () => {
  let finish = (_file: FileRowFragment) => {}
  const commit = () => new Promise<FileRowFragment>((resolve) => (finish = resolve))
  const { queue, add, idOf, calls, steps } = parts({ gateway: { commit } })
  add('a.txt')
  await vi.waitFor(() => expect(steps()).toEqual(['committing']))
  queue.cancel(idOf('a.txt'))
  finish(made)
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(calls.cancel).not.toHaveBeenCalled()
})

test('an intent that was committed before is not sent again', async () => {
  const put = vi.fn<PutBytes>()
  const committed: Intent = { ...pending, state: 'COMMITTED', url: null }
  const gateway = { createIntent: async () => committed, commit: async () => made, cancel: async () => undefined }
  const announced = {
    name: 'a',
    contentType: 'text/plain',
    byteSize: 1,
    sha256: null,
    fileId: null,
    idempotencyKey: 'k',
  }
  const nothing = () => {}
  const sent = await sendFile(gateway, put, {
    bytes: new Blob(['a']),
    announced,
    signal: new AbortController().signal,
    onIntent: nothing,
    onSent: nothing,
    onCommitting: nothing,
  })
  expect(sent).toBe(made)
  expect(put).not.toHaveBeenCalled()
})

test('a new version keeps the name that it was given, not the name of the chosen file', async () => {
  const { queue, announced, steps } = parts()
  queue.add('acme', ada, [{ bytes: file('scan 2.txt'), name: 'contract.txt', fileId: 'f1' }])
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(announced[0]).toMatchObject({ name: 'contract.txt', fileId: 'f1' })
})

test('cancelling all stops running and waiting uploads, and starts none', async () => {
  const { queue, add, calls, steps } = parts({ put: endless })
  add('a', 'b', 'c', 'd', 'e')
  await vi.waitFor(() => expect(steps().filter((step) => step === 'sending')).toHaveLength(3))
  queue.cancelAll('acme')
  expect(new Set(steps())).toEqual(new Set(['cancelled']))
  await vi.waitFor(() => expect(calls.cancel).toHaveBeenCalledTimes(3))
  expect(calls.createIntent).toHaveBeenCalledTimes(3)
})

test('no upload fails when the session ends, and the same person continues them', async () => {
  let isSignedIn = false
  const createIntent = vi.fn<UploadGateway['createIntent']>(async () => {
    if (!isSignedIn) throw refusal('UNAUTHENTICATED')
    return pending
  })
  const { queue, add, steps } = parts({ gateway: { createIntent } })
  queue.signedInAs(ada)
  add('a', 'b', 'c', 'd')
  await vi.waitFor(() => expect(queue.store.pause()).toBe('signed-out'))
  await vi.waitFor(() => expect(new Set(steps())).toEqual(new Set(['waiting'])))
  expect(queue.unfinishedCount()).toBe(4)
  isSignedIn = true
  queue.signedInAs(ada)
  await vi.waitFor(() => expect(new Set(steps())).toEqual(new Set(['done'])))
  expect(steps()).toHaveLength(4)
})

test('unfinished uploads of one person are neither shown to nor sent by the next', async () => {
  const createIntent = vi.fn<UploadGateway['createIntent']>().mockRejectedValueOnce(refusal('UNAUTHENTICATED'))
  const { queue, add, all } = parts({ gateway: { createIntent } })
  queue.signedInAs(ada)
  add('a')
  await vi.waitFor(() => expect(queue.store.pause()).toBe('signed-out'))
  queue.signedInAs('grace@acme.example')
  expect(all()).toEqual([])
  add('found in a folder of the first one later')
  expect(all()).toEqual([])
  expect(createIntent).toHaveBeenCalledTimes(1)
})

test('a server that asks to slow down gets every file after a pause', async () => {
  vi.useFakeTimers()
  const createIntent = vi.fn<UploadGateway['createIntent']>().mockRejectedValueOnce(refusal('RATE_LIMITED'))
  createIntent.mockResolvedValue(pending)
  const { queue, add, steps } = parts({ gateway: { createIntent } })
  add('a', 'b', 'c', 'd', 'e')
  await vi.advanceTimersByTimeAsync(100)
  expect(queue.store.pause()).toBe('busy')
  await vi.advanceTimersByTimeAsync(6_000)
  expect(steps()).toEqual(Array(5).fill('done'))
  vi.useRealTimers()
})

test('a lost connection fails five files out of a thousand, and continuing sends all of them', async () => {
  let isOnline = false
  const createIntent = vi.fn<UploadGateway['createIntent']>(async () => {
    if (!isOnline) throw new TypeError('Failed to fetch')
    return pending
  })
  const { queue, add, steps } = parts({ gateway: { createIntent } })
  add(...Array.from({ length: 1000 }, (_, at) => `${at}.txt`))
  await vi.waitFor(() => expect(queue.store.pause()).toBe('unreachable'))
  // Three in a row without a response, and the two that ran beside the third.
  await vi.waitFor(() => expect(queue.store.view('acme').count).toMatchObject({ failed: 5, waiting: 995 }))
  isOnline = true
  queue.resume()
  await vi.waitFor(() => expect(new Set(steps())).toEqual(new Set(['done'])), 5_000)
})

test('an intent that has ended is replaced automatically, once', async () => {
  const expired: Intent = { ...pending, state: 'EXPIRED', url: null }
  const createIntent = vi
    .fn<UploadGateway['createIntent']>()
    .mockResolvedValueOnce(expired)
    .mockResolvedValueOnce(pending)
  const { queue, add, steps } = parts({ gateway: { createIntent } })
  add('a')
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  const [first, second] = createIntent.mock.calls.map(([{ idempotencyKey }]) => idempotencyKey)
  expect(first).not.toBe(second)
  createIntent.mockResolvedValue(expired)
  add('b')
  await vi.waitFor(() => expect(steps()).toEqual(['done', 'failed']))
  expect(queue.store.all()[1]?.failure).toMatch(/ended before it was complete/)
})

test('signing out holds uploads without losing them, and lets a commit finish', async () => {
  let finish = (_file: FileRowFragment) => {}
  const committing = new Promise<FileRowFragment>((resolve) => (finish = resolve))
  const commit = vi.fn<UploadGateway['commit']>().mockReturnValueOnce(committing).mockResolvedValue(made)
  let sent = 0
  const put: PutBytes = (intent, bytes, options) =>
    (sent += 1) === 1 || sent > 3 ? Promise.resolve(200) : endless(intent, bytes, options)
  const { queue, add, calls, steps } = parts({ put, gateway: { commit } })
  add('a', 'b', 'c', 'd')
  await vi.waitFor(() => expect(steps()).toEqual(['committing', 'sending', 'sending', 'waiting']))
  const held = queue.holdForSignOut()
  finish(made)
  await held
  await vi.waitFor(() => expect(steps()).toEqual(['done', 'waiting', 'waiting', 'waiting']))
  expect(calls.cancel).toHaveBeenCalledTimes(2)
  queue.resume()
  await vi.waitFor(() => expect(steps()).toEqual(['done', 'done', 'done', 'done']))
})

test('failures are grouped by their reason, the largest group first', async () => {
  const createIntent: UploadGateway['createIntent'] = async ({ name }) => {
    throw new RefusedError({ code: 'VALIDATION', message: name.startsWith('big') ? 'Too large.' : 'Not this type.' })
  }
  const { queue, add } = parts({ gateway: { createIntent } })
  add('odd.exe', 'big 1', 'big 2')
  await vi.waitFor(() => expect(queue.store.view('acme').count.failed).toBe(3))
  expect(queue.store.view('acme').failures.map(({ reason, ids }) => [reason, ids.length])).toEqual([
    ['Too large.', 2],
    ['Not this type.', 1],
  ])
})

test('a frame calls each listener once, and a row only for its own changes', async () => {
  const frames: (() => void)[] = []
  const { queue, add, idOf } = parts({ put: endless, nextFrame: (run) => frames.push(run) })
  add('a', 'b')
  const [onA, onB, onAny] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()]
  queue.store.subscribeTo(idOf('a'), onA)
  queue.store.subscribeTo(idOf('b'), onB)
  queue.store.subscribe(onAny)
  frames.shift()?.()
  onA.mockClear()
  onB.mockClear()
  onAny.mockClear()
  for (let sentBytes = 1; sentBytes <= 100; sentBytes += 1) queue.store.change(idOf('a'), { sentBytes })
  expect(frames).toHaveLength(1)
  frames.shift()?.()
  expect([onA, onB, onAny].map((listener) => listener.mock.calls.length)).toEqual([1, 0, 1])
})

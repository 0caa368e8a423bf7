import { expect, test, vi } from 'vitest'
import { RefusedError } from '../apollo/takeSuccess.ts'
import type { FileRowFragment } from '../apollo/operations.ts'
import { type Announced, type Intent, type PutBytes, sendFile, type UploadGateway } from './sendFile.ts'
import { createUploadQueue } from './uploadQueue.ts'

const made = { id: 'file-1' } as FileRowFragment
const pending: Intent = { id: 'intent-1', state: 'PENDING', method: 'PUT', url: 'http://bucket/1', headers: [] }

function parts({ put = async () => 200, gateway = {} }: { put?: PutBytes; gateway?: Partial<UploadGateway> } = {}) {
  const announced: Announced[] = []
  const calls = {
    createIntent: vi.fn<UploadGateway['createIntent']>(async (input) => (announced.push(input), pending)),
    commit: vi.fn<UploadGateway['commit']>(async () => made),
    cancel: vi.fn<UploadGateway['cancel']>(async () => undefined),
    ...gateway,
  }
  let keys = 0
  const onDone = vi.fn<(tenant: string, file: FileRowFragment) => void>()
  const queue = createUploadQueue({
    gatewayOf: () => calls,
    put,
    digest: async () => null,
    newKey: () => `key-${(keys += 1)}`,
    onDone,
  })
  const steps = () => queue.uploads().map(({ step }) => step)
  return { queue, calls, announced, onDone, steps }
}

const file = (name: string) => new File(['hello'], name, { type: 'text/plain' })

test('a file is announced, sent and committed, and the list is told', async () => {
  const { queue, announced, onDone, steps } = parts()
  queue.add('acme', [file('a.txt')])
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(announced[0]).toMatchObject({ name: 'a.txt', contentType: 'text/plain', byteSize: 5, fileId: null })
  expect(onDone).toHaveBeenCalledWith('acme', made)
})

test('no more than three files are sent at once, and the next starts when one has ended', async () => {
  const ends: (() => void)[] = []
  const { queue, steps } = parts({ put: () => new Promise((resolve) => ends.push(() => resolve(200))) })
  queue.add('acme', ['a', 'b', 'c', 'd'].map(file))
  await vi.waitFor(() => expect(ends).toHaveLength(3))
  expect(steps()).toEqual(['sending', 'sending', 'sending', 'waiting'])
  ends[1]?.()
  await vi.waitFor(() => expect(steps()).toEqual(['sending', 'done', 'sending', 'sending']))
})

test('a retry after a lost connection goes on under the same key, and 412 leads to the commit', async () => {
  const answers = [() => Promise.reject(new TypeError('lost')), () => Promise.resolve(412)]
  const { queue, announced, calls, steps } = parts({ put: () => answers.shift()?.() ?? Promise.resolve(200) })
  queue.add('acme', [file('a.txt')])
  await vi.waitFor(() => expect(steps()).toEqual(['failed']))
  expect(queue.uploads()[0]?.failure).toMatch(/connection/)
  queue.retry(queue.uploads()[0]?.id ?? '')
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(announced[1]?.idempotencyKey).toBe(announced[0]?.idempotencyKey)
  expect(calls.commit).toHaveBeenCalledTimes(1)
})

test('a retry after a refusal begins anew, since the refused intent is over', async () => {
  const commit = vi
    .fn<UploadGateway['commit']>()
    .mockRejectedValueOnce(new RefusedError({ code: 'CONTENT_MISMATCH', message: 'The content is text.' }))
    .mockResolvedValue(made)
  const { queue, announced, steps } = parts({ gateway: { commit } })
  queue.add('acme', [file('a.txt')])
  await vi.waitFor(() => expect(steps()).toEqual(['failed']))
  expect(queue.uploads()[0]?.failure).toBe('The content is text.')
  queue.retry(queue.uploads()[0]?.id ?? '')
  await vi.waitFor(() => expect(steps()).toEqual(['done']))
  expect(announced[1]?.idempotencyKey).not.toBe(announced[0]?.idempotencyKey)
})

test('cancelling stops the request, gives the space back, and makes room for the next', async () => {
  const put: PutBytes = (_intent, _bytes, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const { queue, calls, steps } = parts({ put })
  queue.add('acme', ['a', 'b', 'c', 'd'].map(file))
  await vi.waitFor(() => expect(steps()).toEqual(['sending', 'sending', 'sending', 'waiting']))
  queue.cancel(queue.uploads()[0]?.id ?? '')
  await vi.waitFor(() => expect(steps()).toEqual(['cancelled', 'sending', 'sending', 'sending']))
  expect(calls.cancel).toHaveBeenCalledWith('intent-1')
  expect(calls.commit).not.toHaveBeenCalled()
})

test('what is being committed can no longer be cancelled', async () => {
  let finish = (_file: FileRowFragment) => {}
  const commit = () => new Promise<FileRowFragment>((resolve) => (finish = resolve))
  const { queue, calls, steps } = parts({ gateway: { commit } })
  queue.add('acme', [file('a.txt')])
  await vi.waitFor(() => expect(steps()).toEqual(['committing']))
  queue.cancel(queue.uploads()[0]?.id ?? '')
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

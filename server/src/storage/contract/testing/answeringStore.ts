import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import type { BlobStore } from '../../blobStore.ts'
import { createS3BlobStore } from '../../s3/s3BlobStore.ts'

export const account = { region: 'auto', bucket: 'files', accessKeyId: 'AKTEST', secretAccessKey: 'sk-test-secret' }
export const impatience = { connectMilliseconds: 500, answerMilliseconds: 200, attempts: 2, wholeMilliseconds: 1_000 }

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** What a test opened and wants closed behind it. */
export const closeAfterTest = (close: () => Promise<unknown>): void => void open.push(close)

/** A store that answers as the test says, and is closed behind it. */
export async function storeAnswering(listener: RequestListener): Promise<BlobStore> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  const store = createS3BlobStore({ ...account, endpoint, forcePathStyle: true }, impatience)
  closeAfterTest(async () => {
    store.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return store
}

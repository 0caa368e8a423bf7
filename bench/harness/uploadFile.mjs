import { requestOf } from './requests.mjs'

const content = 'filegraph bench\n'.repeat(256)

/** Uploads a text file of 4 KiB: intent, PUT to the bucket, commit. `send` takes a request, `put` bytes. */
export async function uploadFile(tenant, { send, put }) {
  const input = { name: 'bench.txt', contentType: 'text/plain', byteSize: content.length }
  const { createUploadIntent } = await send(requestOf(tenant, 'CreateIntent', { input }))
  const { id, url, headers } = createUploadIntent.uploadIntent
  await put(url, Object.fromEntries(headers.map(({ name, value }) => [name, value])), content)
  const { commitUpload } = await send(requestOf(tenant, 'Commit', { input: { id } }))
  if (!commitUpload.file) throw new Error('The upload was not committed')
}

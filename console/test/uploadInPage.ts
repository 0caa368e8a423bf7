import type { Page } from 'playwright-core'

interface Sent {
  readonly name: string
  readonly contentType: string
  readonly bytes: number[]
  /** The file that gets a new version. */
  readonly fileId?: string
}

interface Uploaded {
  readonly id: string
  /** Opens in the browser. */
  readonly downloadUrl: string
}

/** Uploads a text without the console's code. With `fileId`, as the next version of that file. */
export const uploadText = (page: Page, name: string, text: string, fileId?: string): Promise<Uploaded> => {
  const sent = { name, contentType: 'text/plain', bytes: Array.from(Buffer.from(text)) }
  return page.evaluate(uploadInPage, fileId === undefined ? sent : { ...sent, fileId })
}

/** Runs in the browser, on a page of a person who is signed in to Acme. It must not use anything outside of its body. */
export async function uploadInPage({ bytes, ...announced }: Sent): Promise<Uploaded> {
  async function ask(query: string, variables: object) {
    const headers = { 'content-type': 'application/json', 'x-filegraph-csrf': '1', 'x-filegraph-tenant': 'acme' }
    const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
    return ((await answer.json()) as { data: Record<string, never> }).data
  }
  const announce = `mutation ($input: CreateUploadIntentInput!) { createUploadIntent(input: $input) {
    ... on CreateUploadIntentSuccess { uploadIntent { id url headers { name value } } } ... on Error { message } } }`
  const { createUploadIntent } = await ask(announce, { input: { ...announced, byteSize: bytes.length } })
  const { uploadIntent } = createUploadIntent as unknown as {
    uploadIntent: { id: string; url: string; headers: { name: string; value: string }[] }
  }
  const headers = Object.fromEntries(uploadIntent.headers.map((header) => [header.name, header.value]))
  await fetch(uploadIntent.url, { method: 'PUT', headers, body: new Uint8Array(bytes) })
  const commit = `mutation ($id: ID!) { commitUpload(input: { id: $id }) {
    ... on CommitUploadSuccess { file { id downloadUrl(disposition: INLINE) } } ... on Error { message } } }`
  const { commitUpload } = await ask(commit, { id: uploadIntent.id })
  const { file, message } = commitUpload as unknown as { file?: Uploaded; message?: string }
  if (!file) throw new Error(message)
  return file
}

import { randomUUID } from 'node:crypto'

/** No usable answer: it may have happened or not. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers are as varied as what is asked
type Json = any

/** A host application's way to the API of one tenant. */
export class KillClient {
  readonly #key: string
  readonly #url: () => string

  constructor(key: string, url: () => string) {
    this.#key = key
    this.#url = url
  }

  /** Rejects with `Unanswered` unless there is an answer that can be believed. */
  async ask(query: string, variables: Record<string, unknown> = {}): Promise<Json> {
    const headers = { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ query, variables })
    const signal = AbortSignal.timeout(30_000)
    const answer = await unanswered(async () => {
      const response = await fetch(`${this.#url()}/graphql`, { method: 'POST', headers, body, signal })
      return (await response.json()) as { data?: Json; errors?: readonly { extensions: { code: string } }[] }
    })
    const [error] = answer.errors ?? []
    if (!error) return answer.data
    if (error.extensions.code === 'SERVICE_UNAVAILABLE') throw new Unanswered(error.extensions.code)
    throw new Error(JSON.stringify(answer.errors))
  }

  /** Answers OK, or the code of the refusal. */
  async change(mutation: string, input: Record<string, unknown>): Promise<{ code: string; file: Json }> {
    const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}`
    const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
      ... on ${type}Success { file { id } } ... on Error { code } } }`
    const { code, file } = (await this.ask(query, { input }))[mutation]
    return { code: code ?? 'OK', file }
  }

  /** Asks for an intent, sends the bytes and commits. With the same key it can be done again from the beginning. */
  async upload(idempotencyKey: string, content: string): Promise<string> {
    const input = { name: `${idempotencyKey}.txt`, contentType: 'text/plain', byteSize: content.length, idempotencyKey }
    const created = await this.ask(intend, { input })
    const { id, url, method, headers } = created.createUploadIntent.uploadIntent
    if (url !== null) await this.#send(url, method, headers, content)
    const { code, file } = await this.change('commitUpload', { id })
    if (code !== 'OK') throw new Error(`An upload was not committed: ${code}`)
    return file.id
  }

  async #send(url: string, method: string, headers: Json[], body: string): Promise<void> {
    const named = Object.fromEntries(headers.map(({ name, value }) => [name, value]))
    const status = await unanswered(async () => (await fetch(url, { method, headers: named, body })).status)
    // 412: the bytes of the first try are there.
    if (status !== 200 && status !== 412) throw new Unanswered(`The bucket answered ${status}`)
  }

  async list(state: 'READY' | 'TRASHED'): Promise<Json[]> {
    const all: Json[] = []
    for (let after: string | null = null; ;) {
      const { files }: Json = await this.ask(listing, { state, after })
      all.push(...files.nodes)
      if (!files.pageInfo.hasNextPage) return all
      after = files.pageInfo.endCursor
    }
  }
}

async function unanswered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Unanswered('No answer', { cause: error })
  }
}

const intend = `mutation ($input: CreateUploadIntentInput!) { createUploadIntent(input: $input) {
  ... on CreateUploadIntentSuccess { uploadIntent { id url method headers { name value } } } } }`

const listing = `query ($state: FileState!, $after: String) { files(first: 100, after: $after, filter: { state: $state }) {
  nodes { id attachmentCount downloadUrl } pageInfo { hasNextPage endCursor } } }`

export const newKey = (): string => randomUUID()

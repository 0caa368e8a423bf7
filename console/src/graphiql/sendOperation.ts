import { serverPath } from '../basePath.ts'

interface Operation {
  readonly query: string
  readonly operationName?: string | null
  readonly variables?: unknown
}

/** Sends an operation with the session, unless the headers bring an API key or token of their own. */
export async function sendOperation(operation: Operation, options?: { headers?: Record<string, unknown> }) {
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json',
    'x-filegraph-csrf': '1',
    'apollo-require-preflight': 'true',
  })
  for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, String(value))
  const answer = await fetch(serverPath('/graphql'), {
    method: 'POST',
    headers,
    body: JSON.stringify(operation),
    credentials: headers.has('authorization') ? 'omit' : 'same-origin',
  })
  return answer.json() as Promise<Record<string, unknown>>
}

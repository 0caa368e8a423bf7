import { GraphiQL } from 'graphiql'
import 'graphiql/setup-workers/vite'
import { createRoot } from 'react-dom/client'
import { serverPath, basePath } from '../basePath.ts'
import { refuseStrayDrops } from '../uploads/dropped.ts'
import { examples } from './examples.ts'
import './graphiql.css'
import 'graphiql/style.css'

interface Operation {
  readonly query: string
  readonly operationName?: string | null
  readonly variables?: unknown
}

/** Sends an operation with the session, unless its headers have an API key or a token. */
async function sendOperation(operation: Operation, options?: { headers?: Record<string, unknown> }) {
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

const root = document.getElementById('root')
if (!root) throw new Error('graphiql.html has no element with the id root')

refuseStrayDrops()

createRoot(root).render(
  <GraphiQL
    fetcher={sendOperation}
    defaultTabs={examples}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={false}
    inputValueDeprecation
  >
    <GraphiQL.Logo>
      <a href={basePath} className="brand">
        Filegraph
      </a>
    </GraphiQL.Logo>
  </GraphiQL>,
)

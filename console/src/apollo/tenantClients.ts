import { InMemoryCache, ApolloClient, ApolloLink, HttpLink } from '@apollo/client'
import { ErrorLink } from '@apollo/client/link/error'
import { serverPath } from '../basePath.ts'
import { tellChanges } from './changes.ts'
import { possibleTypes } from './operations.ts'
import { codeOf } from './wordRefusal.ts'

/** One cache holds one tenant: ids are global, but `viewer`, `usage` and the lists are not. */
export const createCache = () =>
  new InMemoryCache({
    possibleTypes,
    typePolicies: {
      // An entry keeps the name that its subject had then. Normalised by id, the entries would share one name.
      AuditSubject: { keyFields: false },
      // Lists select fewer fields of a hold than the details do. Merging keeps the fields of both.
      LegalHold: { merge: true },
      // Each page of a list is an entry of its own. One growing entry would be read as a whole for each page.
      File: { fields: { attachments: { keyArgs: ['after', 'before'] } } },
      Query: {
        fields: {
          viewer: { merge: true },
          usage: { merge: true },
          files: { keyArgs: ['filter', 'orderBy', 'after', 'before'] },
          auditLog: { keyArgs: ['filter', 'after', 'before'] },
          cleanupRuns: { keyArgs: ['filter', 'after', 'before'] },
        },
      },
    },
  })

/** Called when any request notices that the session has ended. */
let onSignedOut = () => {}

const clients = new Map<string, ApolloClient>()

export const whenSignedOut = (listener: () => void) => {
  onSignedOut = listener
}

/** The client of a tenant. Each has a separate cache, so that data of one tenant is never shown in another. */
export function clientOf(tenant: string): ApolloClient {
  const known = clients.get(tenant)
  if (known) return known
  const made = createClient(tenant)
  clients.set(tenant, made)
  return made
}

/** A client for requests before a tenant is chosen. */
export const clientWithoutTenant = () => createClient(null)

/** Removes all loaded data from memory after signing out. */
export function forgetClients(): void {
  for (const client of clients.values()) client.stop()
  clients.clear()
}

function createClient(tenant: string | null): ApolloClient {
  const noticeSignedOut = new ErrorLink(({ error }) => {
    if (codeOf(error) === 'UNAUTHENTICATED') onSignedOut()
  })
  const http = new HttpLink({
    uri: serverPath('/graphql'),
    credentials: 'same-origin',
    headers: {
      'x-filegraph-csrf': '1',
      'apollo-require-preflight': 'true',
      ...(tenant !== null && { 'x-filegraph-tenant': tenant }),
    },
  })
  return new ApolloClient({
    link: ApolloLink.from([noticeSignedOut, ...(tenant === null ? [] : [tellChanges(tenant)]), http]),
    cache: createCache(),
  })
}

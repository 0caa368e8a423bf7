import { InMemoryCache, ApolloClient, ApolloLink, HttpLink } from '@apollo/client'
import { ErrorLink } from '@apollo/client/link/error'
import { relayStylePagination } from '@apollo/client/utilities'
import { serverPath } from '../basePath.ts'
import { tellChanges } from './changes.ts'
import { possibleTypes } from './operations.ts'
import { codeOf } from './wordRefusal.ts'

/** One cache holds one tenant: ids are global, but `viewer`, `usage` and the lists are not. */
export const createCache = () =>
  new InMemoryCache({
    possibleTypes,
    typePolicies: {
      // What a thing was called differs from entry to entry: stored under its id, each name would replace the others.
      AuditSubject: { keyFields: false },
      // Lists ask for less of a hold than the details do: neither may take away what the other knows.
      LegalHold: { merge: true },
      File: { fields: { attachments: relayStylePagination() } },
      Query: {
        fields: {
          viewer: { merge: true },
          usage: { merge: true },
          // Each page by itself: a list that grew with each of them would be read as a whole each time.
          files: { keyArgs: ['filter', 'orderBy', 'after', 'before'] },
          auditLog: { keyArgs: ['filter', 'after', 'before'] },
          cleanupRuns: { keyArgs: ['filter', 'after', 'before'] },
        },
      },
    },
  })

/** Told when the session has ended, wherever that is noticed first. */
let onSignedOut = () => {}

const clients = new Map<string, ApolloClient>()

export const whenSignedOut = (listener: () => void) => {
  onSignedOut = listener
}

/** The client of a tenant, with a cache of its own: what one tenant has loaded can never be shown in another. */
export function clientOf(tenant: string): ApolloClient {
  const known = clients.get(tenant)
  if (known) return known
  const made = createClient(tenant)
  clients.set(tenant, made)
  return made
}

/** A client for what is asked before a tenant is chosen. */
export const clientWithoutTenant = () => createClient(null)

/** After signing out nothing of what was loaded may stay in memory. */
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

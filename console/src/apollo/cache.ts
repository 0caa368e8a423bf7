import { InMemoryCache } from '@apollo/client'
import { relayStylePagination } from '@apollo/client/utilities'
import { possibleTypes } from './operations.ts'

/** One cache holds one tenant: ids are global, but `viewer`, `usage` and the lists are not. */
export const createCache = () =>
  new InMemoryCache({
    possibleTypes,
    typePolicies: {
      // What a thing was called differs from entry to entry: stored under its id, each name would replace the others.
      AuditSubject: { keyFields: false },
      Query: {
        fields: {
          viewer: { merge: true },
          usage: { merge: true },
          files: relayStylePagination(['filter', 'orderBy']),
          auditLog: relayStylePagination(['filter']),
        },
      },
    },
  })

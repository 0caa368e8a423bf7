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

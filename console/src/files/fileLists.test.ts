import { gql } from '@apollo/client'
import { beforeEach, expect, test } from 'vitest'
import type { FileRowFragment } from '../apollo/operations.ts'
import { createCache } from '../apollo/tenantClients.ts'
import { putIntoFiles, takeFromFiles } from './fileLists.ts'

const list = gql`
  query List($filter: FileFilter) {
    files(filter: $filter) {
      edges {
        cursor
        node {
          id
          contentType
          uploadedAt
          uploadedBy {
            id
          }
        }
      }
      pageInfo {
        endCursor
        hasNextPage
      }
    }
  }
`
type Filter = Record<string, string>
interface Listed {
  files: { edges: { node: { id: string } }[] }
}

let cache = createCache()
beforeEach(() => {
  cache = createCache()
})

const file = (id: string, day: number, contentType = 'text/plain') =>
  ({
    __typename: 'File',
    id,
    contentType,
    uploadedAt: `2026-01-0${day}T00:00:00.000Z`,
    uploadedBy: { __typename: 'Principal', id: 'ada' },
  }) as unknown as FileRowFragment

function store(filter: Filter, files: readonly FileRowFragment[], hasNextPage = false) {
  const edges = files.map((node) => ({ __typename: 'FileEdge', cursor: node.id, node }))
  const pageInfo = { __typename: 'PageInfo', endCursor: files.at(-1)?.id ?? null, hasNextPage }
  const data = { files: { __typename: 'FileConnection', edges, pageInfo } }
  cache.writeQuery({ query: list, variables: { filter }, data })
}

const idsIn = (filter: Filter) =>
  cache.readQuery<Listed>({ query: list, variables: { filter } })?.files.edges.map(({ node }) => node.id)

/** Writes the file as the response of a mutation does. */
function arrive(node: FileRowFragment) {
  const fragment = gql`
    fragment F on File {
      id
      contentType
      uploadedAt
      uploadedBy {
        id
      }
    }
  `
  cache.writeFragment({ fragment, data: node as unknown as Record<string, unknown> })
  putIntoFiles(cache, node)
}

test('a new file is first, and only in lists whose filter it matches', () => {
  store({ state: 'READY' }, [file('b', 2), file('a', 1)])
  store({ state: 'READY', contentTypePrefix: 'image/' }, [])
  store({ state: 'TRASHED' }, [])
  arrive(file('c', 3))
  expect(idsIn({ state: 'READY' })).toEqual(['c', 'b', 'a'])
  expect(idsIn({ state: 'READY', contentTypePrefix: 'image/' })).toEqual([])
  expect(idsIn({ state: 'TRASHED' })).toEqual([])
})

test('a restored file returns to its place by time, and appears once', () => {
  store({ state: 'READY' }, [file('c', 3), file('a', 1)])
  arrive(file('b', 2))
  arrive(file('b', 2))
  expect(idsIn({ state: 'READY' })).toEqual(['c', 'b', 'a'])
})

test('a file that is older than all loaded files appears with its own page', () => {
  store({ state: 'READY' }, [file('c', 3)], true)
  arrive(file('a', 1))
  expect(idsIn({ state: 'READY' })).toEqual(['c'])
})

test('a deleted file is removed from every list, and the trash is loaded again', () => {
  store({ state: 'READY' }, [file('b', 2), file('a', 1)])
  store({ state: 'TRASHED' }, [])
  takeFromFiles(cache, 'b')
  expect(idsIn({ state: 'READY' })).toEqual(['a'])
  expect(idsIn({ state: 'TRASHED' })).toBeUndefined()
})

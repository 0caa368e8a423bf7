import { ApolloClient, ApolloLink, gql } from '@apollo/client'
import { of, throwError } from 'rxjs'
import { expect, test, vi } from 'vitest'
import { createCache } from '../apollo/tenantClients.ts'
import { LaterPages } from './laterPages.ts'
import type { RowPage } from './pageParts.ts'

interface Attachment {
  readonly id: string
}

const query = gql`
  query ($id: ID!, $after: String, $before: String) {
    file(id: $id) {
      id
      attachments(first: 20, after: $after, before: $before) {
        edges {
          cursor
          node {
            id
          }
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`

const source = {
  query,
  variables: { id: 'f' },
  field: 'attachments',
  parent: { __typename: 'File', id: 'f' },
  pageOf: ({ file }: { file: { attachments: RowPage<Attachment> } }) => file.attachments,
}

const numbers = (first: number, count: number) => Array.from({ length: count }, (_, at) => String(first + at))

/** The pages after row 20 of a list of 60, in pages of 20. Cursors are row numbers. */
function sixtyRows() {
  const asked: string[] = []
  const network = { isDown: false }
  const link = new ApolloLink(({ variables }) => {
    asked.push(String(variables['after']))
    if (network.isDown) return throwError(() => new TypeError('Failed to fetch'))
    const rows = numbers(Number(variables['after']) + 1, 20)
    const edges = rows.map((id) => ({
      __typename: 'AttachmentEdge',
      cursor: id,
      node: { __typename: 'Attachment', id },
    }))
    const pageInfo = { __typename: 'PageInfo', endCursor: rows[19] ?? null, hasNextPage: rows[19] !== '60' }
    const attachments = { __typename: 'AttachmentConnection', edges, pageInfo }
    return of({ data: { file: { __typename: 'File', id: 'f', attachments } } })
  })
  const cache = createCache()
  const pages = new LaterPages<Attachment>(new ApolloClient({ link, cache }), source, '20')
  const rows = () => Array.from({ length: pages.state().rowCount }, (_, index) => pages.rowAt(index)?.id)
  const cached = () => Object.keys(cache.extract()['File:f'] ?? {}).filter((field) => field.startsWith('attachments'))
  return { pages, network, asked, rows, cached }
}

test('pages are loaded only when a person asks for them, as long as no view is set', async () => {
  const { pages, asked, rows } = sixtyRows()
  pages.open()
  expect(asked).toEqual([])
  pages.more()
  await vi.waitFor(() => expect(rows()).toEqual(numbers(21, 20)))
  pages.more()
  await vi.waitFor(() => expect(rows()).toEqual(numbers(21, 40)))
  expect([asked, pages.state().hasMore]).toEqual([['20', '40'], false])
})

test('after a failure scrolling loads no new rows, and the button does', async () => {
  const { pages, network, asked, rows } = sixtyRows()
  network.isDown = true
  pages.open()
  pages.look(-3, 0)
  await vi.waitFor(() => expect(pages.state().failure).toContain('No answer from the server'))
  network.isDown = false
  pages.look(-2, 0)
  expect(asked).toEqual(['20'])
  pages.more()
  await vi.waitFor(() => expect(rows()).toHaveLength(20))
  expect(pages.state().failure).toBeNull()
})

test('a closed list of an object leaves no page of it in the cache', async () => {
  const { pages, rows, cached } = sixtyRows()
  const close = pages.open()
  pages.more()
  await vi.waitFor(() => expect(rows()).toHaveLength(20))
  expect(cached()).toHaveLength(1)
  close()
  expect(cached()).toEqual([])
})

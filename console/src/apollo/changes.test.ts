import { ApolloClient, ApolloLink, gql, InMemoryCache } from '@apollo/client'
import { Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { tellChanges } from './changes.ts'

const query = gql`
  {
    count
  }
`
const mutation = gql`
  mutation {
    change
  }
`

test('a query that runs while this tab changes something is repeated, and only the second response counts', async () => {
  const { client, sent, answer } = openClient()
  const mutating = client.mutate({ mutation })
  const asked = client.query({ query })
  answer(0, { change: true })
  await mutating
  answer(1, { count: 1 })
  expect(sent).toHaveLength(3)
  answer(2, { count: 2 })
  expect((await asked).data).toEqual({ count: 2 })
})

test('a query is sent once if nothing changes meanwhile', async () => {
  const { client, sent, answer } = openClient()
  const mutating = client.mutate({ mutation })
  answer(0, { change: true })
  await mutating
  const asked = client.query({ query })
  answer(1, { count: 1 })
  expect((await asked).data).toEqual({ count: 1 })
  expect(sent).toHaveLength(2)
})

/** A client whose requests the test answers, each by its index in the order of sending. */
function openClient() {
  const sent: Subject<ApolloLink.Result>[] = []
  const byHand = new ApolloLink(() => {
    const request = new Subject<ApolloLink.Result>()
    sent.push(request)
    return request
  })
  const link = ApolloLink.from([tellChanges('acme'), byHand])
  const client = new ApolloClient({ link, cache: new InMemoryCache() })
  const answer = (at: number, data: Record<string, unknown>) => {
    sent[at]?.next({ data })
    sent[at]?.complete()
  }
  return { client, sent, answer }
}

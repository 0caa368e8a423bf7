import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Queries the API in Acme with the session of the page, without the console's code. */
export async function ask<Data>(page: Page, query: string, variables: object = {}): Promise<Data> {
  const answer = await page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json', 'x-filegraph-csrf': '1', 'x-filegraph-tenant': 'acme' }
    const response = await fetch('/graphql', { method: 'POST', headers, body })
    return response.json() as Promise<unknown>
  }, JSON.stringify({ query, variables }))
  return (answer as { data: Data }).data
}

/** Sends a mutation of a host application, with the session of the page. */
export async function mutate(page: Page, mutation: string, inputType: string, input: Record<string, string>) {
  const query = `mutation ($input: ${inputType}!) { answer: ${mutation}(input: $input) { __typename } }`
  const { answer } = await ask<{ answer: { __typename: string } }>(page, query, { input })
  expect(answer.__typename).toMatch(/Success$/)
}

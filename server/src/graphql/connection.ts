import type { Page } from '../domain/paging/page.ts'

/** A page as Relay's connection type takes it, with whatever its further fields need. */
export const connectionOf = <T, More extends object>(page: Page<T>, more: More) => ({
  ...more,
  edges: [...page.edges],
  pageInfo: page.pageInfo,
})

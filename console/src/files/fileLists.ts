import type { ApolloCache, Reference } from '@apollo/client'
import type { FileRowFragment } from '../apollo/operations.ts'

interface StoredEdge {
  readonly __typename: 'FileEdge'
  readonly cursor: string
  readonly node: Reference
}

/** A page of a list. */
interface StoredConnection {
  readonly edges: readonly StoredEdge[]
  readonly pageInfo?: { readonly hasNextPage?: boolean; readonly endCursor?: string | null }
}

/** The arguments of a page. */
interface StoredArguments {
  readonly filter?: StoredFilter | null
  /** The cursor before the page. The first page has none. */
  readonly after?: string | null
  /** The cursor after the page, if the request had one. */
  readonly before?: string | null
}

/** The filter of a stored list. */
interface StoredFilter {
  readonly state?: string
  readonly contentTypePrefix?: string
  readonly uploadedById?: string
}

/** Removes a file from every list of files. The trash is loaded again when it is opened. */
export function takeFromFiles(cache: ApolloCache, id: string): void {
  const ref = cache.identify({ __typename: 'File', id })
  forgetTrash(cache)
  changeLists(cache, ({ edges }) => edges.filter((edge) => edge.node.__ref !== ref))
}

/** The largest number of rows of a first page with new files. A longer page is loaded again instead. */
const fullPageRows = 250

/**
 * Adds new or restored files to every list that they match, in the order of upload. A file whose place is between two pages, or on
 * a page that is not in memory, appears when that page is loaded again. Returns false if a page was too full for a file.
 */
export function putIntoFiles(cache: ApolloCache, ...files: readonly FileRowFragment[]): boolean {
  const refs = new Map(files.map((file) => [cache.identify({ __typename: 'File', id: file.id }), file]))
  let isComplete = true
  changeLists(cache, ({ edges, pageInfo }, { filter, after, before }, timeOf) => {
    const next = edges.filter((edge) => !refs.has(edge.node.__ref))
    for (const [ref, file] of refs) {
      if (ref === undefined || !belongs(file, filter ?? {})) continue
      const at = next.findIndex(({ node }) => timeOf(node) <= file.uploadedAt)
      const isElsewhere = at === -1 ? pageInfo?.hasNextPage || before : at === 0 && after
      if (isElsewhere) continue
      const isFull = at === 0 && next.length >= fullPageRows
      if (isFull) isComplete = false
      else next.splice(at === -1 ? next.length : at, 0, { __typename: 'FileEdge', cursor: '', node: { __ref: ref } })
    }
    return next
  })
  return isComplete
}

/** Removes a restored or purged file from the trash. */
export function takeFromTrash(cache: ApolloCache, id: string): void {
  const ref = cache.identify({ __typename: 'File', id })
  changeLists(cache, ({ edges }) => edges.filter((edge) => edge.node.__ref !== ref), 'TRASHED')
}

export function belongs(file: Pick<FileRowFragment, 'contentType' | 'uploadedBy'>, filter: StoredFilter): boolean {
  const { contentTypePrefix = '', uploadedById } = filter
  return file.contentType.startsWith(contentTypePrefix) && (!uploadedById || uploadedById === file.uploadedBy.id)
}

function forgetTrash(cache: ApolloCache): void {
  cache.modify({
    fields: {
      files: (stored, { storeFieldName, DELETE }) =>
        argumentsOf(storeFieldName).filter?.state === 'TRASHED' ? DELETE : stored,
    },
  })
}

function changeLists(
  cache: ApolloCache,
  change: (list: StoredConnection, asked: StoredArguments, timeOf: (file: Reference) => string) => StoredEdge[],
  state: 'READY' | 'TRASHED' = 'READY',
): void {
  cache.modify<{ files: StoredConnection }>({
    fields: {
      files(stored, { storeFieldName, readField }) {
        const asked = argumentsOf(storeFieldName)
        if ((asked.filter?.state ?? 'READY') !== state) return stored
        const list = stored as StoredConnection
        const timeOf = (file: Reference) => readField<string>('uploadedAt', file) ?? ''
        return { ...list, edges: change(list, asked, timeOf) }
      },
    },
  })
}

/** Pages are stored under `files:{"filter":…}`, by the key arguments of the cache. */
function argumentsOf(storeFieldName: string): StoredArguments {
  const args = storeFieldName.slice('files:'.length)
  return args ? (JSON.parse(args) as StoredArguments) : {}
}

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

/** What a page was asked with. */
interface StoredArguments {
  readonly filter?: StoredFilter | null
  /** The cursor before the page; the first page has none. */
  readonly after?: string | null
  /** The cursor behind the page, where it was asked to end there. */
  readonly before?: string | null
}

/** The filter that a stored list was asked with. */
interface StoredFilter {
  readonly state?: string
  readonly contentTypePrefix?: string
  readonly uploadedById?: string
}

/** Takes a file out of every list of files, and lets the trash be asked again when it is opened. */
export function takeFromFiles(cache: ApolloCache, id: string): void {
  const ref = cache.identify({ __typename: 'File', id })
  forgetTrash(cache)
  changeLists(cache, ({ edges }) => edges.filter((edge) => edge.node.__ref !== ref))
}

/** A page takes in no more new files at its beginning than this: a longer one is better asked for again. */
const fullPageRows = 250

/**
 * Shows new or restored files in every list that they belong to, at their places by the time of their upload. If a place lies
 * between two pages, or on one that is not in memory, the page brings the file when it is asked for the next time. Returns
 * false if some page was too full to take a file in.
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

/** Takes a file out of the trash that was restored, or purged. */
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

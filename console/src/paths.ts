import { isDay } from './ui/formatTime.ts'

/** Every address of the console. All links are built here, so that a parameter is renamed in one place. */
export const paths = {
  start: () => '/',
  signIn: (returnTo?: string) => withQuery('/sign-in', { to: returnTo }),
  files: (tenant: string, state: FilesState = {}) =>
    withQuery(`/t/${encodeURIComponent(tenant)}/files`, { type: state.type, by: state.by, file: state.file }),
  trash: (tenant: string) => `/t/${encodeURIComponent(tenant)}/trash`,
  audit: (tenant: string, state: AuditState = {}) =>
    withQuery(`/t/${encodeURIComponent(tenant)}/audit`, {
      action: state.action,
      actor: state.actor,
      subject: state.subject,
      from: state.from,
      until: state.until,
      entry: state.entry,
    }),
  cleanup: (tenant: string, state: CleanupState = {}) =>
    withQuery(`/t/${encodeURIComponent(tenant)}/cleanup`, { kind: state.kind, run: state.run }),
  graphiql: () => '/graphiql',
}

/** The parameters of the Files page: a group of types, an uploader, and the file whose details are open. */
export interface FilesState {
  readonly type?: string | undefined
  readonly by?: string | undefined
  readonly file?: string | undefined
}

/**
 * The parameters of the audit log: filters, and the entry whose details are open. The days are `YYYY-MM-DD` in the
 * reader's time zone, both included.
 */
export interface AuditState {
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly subject?: string | undefined
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly entry?: string | undefined
}

/** The parameters of the Cleanup page: a kind of run, as in the API, and the run whose details are open. */
export interface CleanupState {
  readonly kind?: string | undefined
  readonly run?: string | undefined
}

export const readFilesState = (query: URLSearchParams): FilesState => ({
  type: query.get('type') ?? undefined,
  by: query.get('by') ?? undefined,
  file: query.get('file') ?? undefined,
})

export function readAuditState(query: URLSearchParams): AuditState {
  const [from, until] = inOrder(dayIn(query, 'from'), dayIn(query, 'until'))
  return {
    action: query.get('action') ?? undefined,
    actor: query.get('actor') ?? undefined,
    subject: query.get('subject') ?? undefined,
    from,
    until,
    entry: query.get('entry') ?? undefined,
  }
}

export const readCleanupState = (query: URLSearchParams): CleanupState => ({
  kind: query.get('kind') ?? undefined,
  run: query.get('run') ?? undefined,
})

/** Undefined if the text is not a day of the calendar. A mistyped address is ignored. */
function dayIn(query: URLSearchParams, name: string): string | undefined {
  const day = query.get(name) ?? ''
  return isDay(day) ? day : undefined
}

const inOrder = (from: string | undefined, until: string | undefined) =>
  from && until && from > until ? [until, from] : [from, until]

/** The page to open after signing in. Only paths of the console are allowed, so that a link cannot redirect to another site. */
export function returnPlace(query: URLSearchParams): string {
  const to = query.get('to') ?? ''
  return /^\/(?![/\\])[^\\]*$/.test(to) && !to.startsWith('/sign-in') ? to : paths.start()
}

function withQuery(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return given.length ? `${path}?${new URLSearchParams(given)}` : path
}

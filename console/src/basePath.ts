const here = import.meta.url

/**
 * The path of Filegraph on its host, with a slash at both ends: `/`, or `/files/` if a proxy serves it below a path. The
 * build and the development server put every script into a folder below that path.
 */
export const basePath = /^https?:/.test(here) ? new URL('..', here).pathname : '/'

/** The path in the browser for a path of the server, such as `/graphql`, `/session` or `/graphiql`. */
export const serverPath = (path: string): string => basePath + path.slice(1)

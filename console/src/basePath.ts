const here = import.meta.url

/**
 * The path of Filegraph on its host, with a slash at both ends: `/`, or `/files/` where a proxy serves it below a path. The
 * build puts every script into a folder of that path, and so does the development server.
 */
export const basePath = /^https?:/.test(here) ? new URL('..', here).pathname : '/'

/** The path at which a browser finds what the server calls `/graphql`, `/session` or `/graphiql`. */
export const serverPath = (path: string): string => basePath + path.slice(1)

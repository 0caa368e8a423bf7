import { demoPassword, demoTenants, lastMember } from './demo/demoPeople.ts'

export interface Started {
  /** Without a trailing slash. */
  readonly url: string
  /** Further URLs, for people on other machines. */
  readonly networkUrls: readonly string[]
  readonly hasConsole: boolean
  readonly hasGraphiql: boolean
  readonly hasDemo: boolean
  /** The locations of the data, as ends of sentences. */
  readonly database: string
  readonly files: string
  readonly logs: string
  readonly warnings: readonly string[]
}

/**
 * Returns the text that `start` prints when everything is up: the URLs, the sign-in, the data folders, and how to stop.
 */
export function startBlock(started: Started): string {
  const { url, networkUrls, hasConsole, hasGraphiql, hasDemo, database, files, logs, warnings } = started
  const rows: (readonly [string, string])[] = [
    ...(hasConsole ? [['Console', url] as const] : []),
    ['GraphQL', `${url}/graphql`],
    ...(hasGraphiql ? [['GraphiQL', `${url}/graphiql`] as const] : []),
    ...networkUrls.map((address) => ['Network', address] as const),
    ['Database', database],
    ['Files', files],
    ['Logs', logs],
  ]
  const blocks = [
    `  Filegraph is running.`,
    rows.map(([label, value]) => `  ${label.padEnd(10)}${value}`).join('\n'),
    ...(hasDemo ? [demoSignIns()] : []),
    ...warnings.map((warning) => `  Warning: ${warning}`),
    '  Stop it with Ctrl+C.',
  ]
  return `\n${blocks.join('\n\n')}\n\n`
}

function demoSignIns(): string {
  const people = demoTenants.flatMap(({ name, members }) => members.map((member) => ({ ...member, tenant: name })))
  const lines = people.map(({ email, role, tenant }) => {
    const also = email === lastMember.email ? ` (and ${lastMember.role} of ${tenantName(lastMember.tenantSlug)})` : ''
    return `    ${email.padEnd(22)}${role.padEnd(8)}${tenant}${also}`
  })
  return [`  Sign in to the demo with the password ${demoPassword} as`, ...lines].join('\n')
}

const tenantName = (slug: string) => demoTenants.find((tenant) => tenant.slug === slug)?.name ?? slug
